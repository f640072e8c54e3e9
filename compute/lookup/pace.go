package lookup

import (
	"io"
	"time"
)

// pace makes work pause half as long as it has run. The zero pace does not pause.
type pace struct {
	gentle bool
	since  time.Time
}

// leastRun is how long work runs before a pause is worth its timer.
const leastRun = 2 * time.Millisecond

func (p *pace) pause() {
	if !p.gentle {
		return
	}
	ran := time.Since(p.since)
	if p.since.IsZero() || ran < leastRun {
		if p.since.IsZero() {
			p.since = time.Now()
		}
		return
	}
	time.Sleep(ran / 2)
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
