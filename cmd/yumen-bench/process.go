package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is one child from the outside.
type process struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	log     *logReader
	logDone sync.WaitGroup

	address string
	took    time.Duration // from start to readiness
}

// startChild runs this program again as a child and waits until it serves.
func startChild(ctx context.Context, stderr io.Writer, name string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, errors.New("own program file not found")
	}
	p := &process{name: name, cmd: exec.CommandContext(ctx, self, append([]string{"child", name}, args...)...), log: &logReader{forward: stderr}}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = 30 * time.Second
	out, err1 := p.cmd.StdoutPipe()
	logged, err2 := p.cmd.StderrPipe()
	in, err3 := p.cmd.StdinPipe()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.logDone.Go(func() { p.log.read(logged) })
	line, err := p.answer()
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	p.address, p.took = line.Address, time.Since(began)
	return p, nil
}

func (p *process) answer() (childLine, error) {
	var line childLine
	if !p.out.Scan() {
		return line, fmt.Errorf("%s ended early", p.name)
	}
	if err := json.Unmarshal(p.out.Bytes(), &line); err != nil {
		return line, fmt.Errorf("%s answered out of form", p.name)
	}
	if line.Error != "" {
		return line, errors.New(p.name + ": " + line.Error)
	}
	return line, nil
}

// ask sends one line and reads its answer. It is called by one goroutine at a time.
func (p *process) ask(what string) (childLine, error) {
	if _, err := io.WriteString(p.in, what+"\n"); err != nil {
		return childLine{}, fmt.Errorf("%s does not listen", p.name)
	}
	return p.answer()
}

// cpu is the processor time the child has used since it began.
func (p *process) cpu() (time.Duration, error) {
	line, err := p.ask(askCPU)
	return time.Duration(line.CPUMicr) * time.Microsecond, err
}

// stop ends the child's input and waits for it.
func (p *process) stop() error {
	closed := p.in.Close()
	p.logDone.Wait()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return closed
}

// logReader reads the child's log: it notes how long indexes took and passes warnings and errors on.
type logReader struct {
	forward io.Writer
	mu      sync.Mutex
	builds  []build
}

// build is one index as the gateway's log tells of it.
type build struct {
	Rows    int64   `json:"rows"`
	Seconds float64 `json:"seconds"`
}

func (l *logReader) read(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		var head struct {
			Level, Msg string
			build
		}
		switch err := json.Unmarshal(lines.Bytes(), &head); {
		case err == nil && head.Msg == "index built":
			l.mu.Lock()
			l.builds = append(l.builds, head.build)
			l.mu.Unlock()
		case err != nil || head.Level == "WARN" || head.Level == "ERROR":
			fmt.Fprintln(l.forward, lines.Text())
		}
	}
}

func (l *logReader) all() []build {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]build(nil), l.builds...)
}
