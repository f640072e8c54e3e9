package audit

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A frame that Apply has just told of can be read by others at once: they wait for its checkpoint, and
// for no frame that does not exist.
func TestFrameWaitsForItsCheckpoint(t *testing.T) {
	o := testOptions(t)
	type read struct {
		frame Frame
		size  uint64
		err   error
	}
	var l *Log
	reads := make(chan read, 64)
	ready := make(chan struct{})
	o.Apply = func(f Frame) error {
		index := f.Index
		go func() {
			<-ready
			got, err := l.Frame(context.Background(), index)
			reads <- read{got, l.Size(), err}
		}()
		time.Sleep(time.Millisecond) // let the reader come first
		return nil
	}
	l, err := Open(context.Background(), o)
	require.NoError(t, err)
	close(ready)
	for i := range 32 {
		_, err := l.Append(context.Background(), Record{Kind: Release, Time: int64(i), Private: []byte{byte(i)}})
		require.NoError(t, err)
	}
	for range 32 {
		got := <-reads
		require.NoError(t, got.err)
		require.Less(t, got.frame.Index, got.size)
		require.Equal(t, []byte{byte(got.frame.Index)}, got.frame.Private)
	}
	_, err = l.Frame(context.Background(), 32)
	require.ErrorIs(t, err, ErrNoEntry)
	require.NoError(t, l.Close())
}
