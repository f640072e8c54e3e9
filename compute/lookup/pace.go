package lookup

import (
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// pace makes work stop after about a millisecond and pause as long as it has run. The zero pace does
// not pause.
type pace struct {
	gentle bool
	since  time.Time
}

const (
	// leastRun is how long work runs before a pause is worth its timer.
	leastRun = time.Millisecond
	// longestPause bounds what follows a run that others, who wanted the processor, have made long.
	longestPause = 10 * time.Millisecond
	// gentleRows is how many rows or records, at about a microsecond each, lie between two calls of pause.
	gentleRows = 512
)

func (p *pace) pause() {
	if !p.gentle {
		return
	}
	if p.since.IsZero() {
		p.since = time.Now()
		return
	}
	ran := time.Since(p.since)
	if ran < leastRun {
		return
	}
	time.Sleep(min(ran, longestPause))
	p.since = time.Now()
}

// paced pauses between writes.
type paced struct {
	io.Writer
	pace *pace
}

func (p paced) Write(b []byte) (int, error) {
	p.pace.pause()
	return p.Writer.Write(b)
}

// spreadBytes is how much of a growing file is dirty at most before its writing out begins.
const spreadBytes = 256 << 10

// spread begins to write a file out while it grows, so that the sync at its end has little left to do:
// one large sync would hold up whoever else syncs on this disk. It is for files that are only appended to.
type spread struct {
	vfs.File
	size, begun int64
}

func (s *spread) Write(b []byte) (int, error) {
	n, err := s.File.Write(b)
	s.size += int64(n)
	if err != nil || s.size-s.begun < spreadBytes {
		return n, err
	}
	s.begun = s.size &^ (4<<10 - 1) // the last page is about to be written again
	_, err = s.File.SyncTo(s.begun)
	return n, err
}
