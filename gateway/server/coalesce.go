package server

import (
	"net"
	"runtime"
	"sync"
	"time"
)

// Listen opens a TCP listener whose connections gather what is written in one moment. Answers of one
// group commit end together; without this each would be a write of its own, because the library flushes
// as soon as a response is larger than its batching threshold.
func Listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return gatherer{l}, nil
}

type gatherer struct{ net.Listener }

func (g gatherer) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	out := &gathered{Conn: c}
	out.more = sync.NewCond(&out.mu)
	go out.flush()
	return out, nil
}

// maxGathered bounds what waits for the socket; a writer beyond it waits.
const maxGathered = 256 << 10

// gathered is a connection with one goroutine that writes what others left. An error shows at the next
// Write; Close waits until what was written before has been handed to the socket.
type gathered struct {
	net.Conn
	mu     sync.Mutex
	more   *sync.Cond
	buf    []byte
	err    error
	closed bool
	done   bool
}

func (g *gathered) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.buf) > maxGathered && g.err == nil && !g.closed {
		g.more.Wait()
	}
	if g.err != nil {
		return 0, g.err
	}
	if g.closed {
		return 0, net.ErrClosed
	}
	g.buf = append(g.buf, b...)
	if len(g.buf) == len(b) {
		g.more.Broadcast()
	}
	return len(b), nil
}

func (g *gathered) flush() {
	var spare []byte
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for len(g.buf) == 0 && !g.closed && g.err == nil {
			g.more.Wait()
		}
		if len(g.buf) == 0 || g.err != nil {
			break
		}
		g.mu.Unlock()
		runtime.Gosched() // whoever is about to write does so now
		g.mu.Lock()
		out := g.buf
		g.buf = spare[:0]
		g.mu.Unlock()
		_, err := g.Conn.Write(out)
		g.mu.Lock()
		spare, g.err = out, err
		g.more.Broadcast()
	}
	g.done = true
	g.more.Broadcast()
}

// lastWrite bounds how long Close waits for a peer that does not read.
const lastWrite = 2 * time.Second

// Close hands over what was written, then closes.
func (g *gathered) Close() error {
	g.mu.Lock()
	g.closed = true
	g.more.Broadcast()
	g.mu.Unlock()
	_ = g.Conn.SetWriteDeadline(time.Now().Add(lastWrite)) // closing follows whether it holds or not
	g.mu.Lock()
	for !g.done {
		g.more.Wait()
	}
	g.mu.Unlock()
	return g.Conn.Close()
}
