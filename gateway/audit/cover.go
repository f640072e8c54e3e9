package audit

import "context"

// covered waits, for a frame that was applied, until the checkpoint that covers
// it is signed: state machines know a frame a moment before that. ErrNoEntry for
// an index that no frame has.
func (l *Log) covered(ctx context.Context, index uint64) error {
	for index >= l.Size() {
		moved := *l.moved.Load()
		if index < l.Size() {
			return nil
		}
		if err := l.failed(); err != nil {
			return err
		}
		if index >= l.tree.currentSize() {
			return ErrNoEntry
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// move wakes those who wait for a checkpoint. Of the writer only.
func (l *Log) move() {
	next := make(chan struct{})
	close(*l.moved.Swap(&next))
}
