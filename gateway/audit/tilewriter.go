package audit

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// tileJob is a full tile or bundle to be written, or a request to sync.
type tileJob struct {
	id     tileID
	data   []byte
	synced chan error // not nil: sync everything written so far
}

// tileWriter writes full tiles and bundles behind the log. They can be made
// again from the frames at any time, so they are synced only when something
// depends on them: a snapshot, a publication, the end. They are written in place,
// without a second name and a rename: nothing names a tile before it was synced,
// and a start compares every tile that a snapshot does not vouch for with the
// frames and writes those that are torn anew.
type tileWriter struct {
	st       storage
	root     string
	jobs     chan tileJob
	done     chan struct{}
	unpin    func(tileID)
	fail     func(error)
	patience time.Duration

	dirs     map[string]bool
	unsynced []string
}

func newTileWriter(st storage, root string, unpin func(tileID), fail func(error)) *tileWriter {
	return &tileWriter{st: st, root: root, jobs: make(chan tileJob, 64), done: make(chan struct{}),
		unpin: unpin, fail: fail, patience: 30 * time.Second, dirs: map[string]bool{}}
}

// run works until jobs is closed.
func (w *tileWriter) run() {
	defer close(w.done)
	var failed error
	for job := range w.jobs {
		switch {
		case failed != nil:
		case job.synced != nil:
			failed = w.sync()
		default:
			failed = w.write(job)
		}
		if failed != nil {
			w.fail(failed)
		}
		if job.synced != nil {
			job.synced <- failed
		}
	}
}

func (w *tileWriter) write(job tileJob) error {
	name := publicFile(w.root, job.id.level, job.id.index, tileWidth)
	if dir := filepath.Dir(name); !w.dirs[dir] {
		if err := w.st.MkdirAll(dir); err != nil {
			return fmt.Errorf("write tile: %w", err)
		}
		w.dirs[dir] = true
	}
	if err := writeFile(w.st, name, job.data, false); err != nil {
		return fmt.Errorf("write tile: %w", err)
	}
	w.unsynced = append(w.unsynced, name)
	if job.id.level != bundleLevel {
		w.unpin(job.id)
	}
	return nil
}

func (w *tileWriter) sync() error {
	dirs := map[string]bool{}
	for _, name := range w.unsynced {
		if err := syncFile(w.st, name); err != nil {
			return fmt.Errorf("sync tile: %w", err)
		}
		dirs[filepath.Dir(name)] = true
	}
	for dir := range dirs {
		if err := w.st.SyncDir(dir); err != nil {
			return fmt.Errorf("sync tiles: %w", err)
		}
	}
	w.unsynced = w.unsynced[:0]
	return nil
}

// put queues a job. A sink that takes nothing for too long is an error.
func (w *tileWriter) put(job tileJob) error {
	select {
	case w.jobs <- job:
		return nil
	default:
	}
	late := time.NewTimer(w.patience)
	defer late.Stop()
	select {
	case w.jobs <- job:
		return nil
	case <-late.C:
		return errors.New("tile writer is stuck")
	}
}

// flush waits until everything queued before is durable.
func (w *tileWriter) flush() error {
	synced := make(chan error, 1)
	if err := w.put(tileJob{synced: synced}); err != nil {
		return err
	}
	return <-synced
}
