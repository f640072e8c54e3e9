package chaos

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/server"
)

// machine is a data directory with a real `yumen serve` over it, again and again, and what its callers
// remember.
type machine struct {
	t    *testing.T
	c    *counts
	dir  string
	book *book

	mu   sync.Mutex
	lost map[string]*spec.Question // asked, and no answer came
}

func newMachine(t *testing.T, c *counts) *machine {
	t.Helper()
	m := &machine{t: t, c: c, dir: t.TempDir(), book: newBook(), lost: map[string]*spec.Question{}}
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, "domain.yaml"), town.domain, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, "domain.approvals.yaml"), town.approvals, 0o600))
	return m
}

// command builds the real command once a run.
func (g *registers) command(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(g.root, "yumen")
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "../../../cmd/yumen").CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

func (m *machine) data() string { return filepath.Join(m.dir, "data") }

func (m *machine) place() place {
	d := m.data()
	return place{filepath.Join(d, "log"), filepath.Join(d, "checkpoints"), filepath.Join(d, "keys")}
}

// serving is a process that came up, or one that did not: then address is empty and said tells why.
type serving struct {
	cmd           *exec.Cmd
	address, said string
	sealed        bool
	ended         chan struct{}
}

// serve starts the command, below prefix if there is one, and waits until it serves or ends. A context
// that ends first leaves it starting.
func (m *machine) serve(ctx context.Context, domain bool, prefix ...string) *serving {
	m.t.Helper()
	args := append(prefix, town.command(m.t), "serve", "--data-dir", m.data(), "--data-sources", town.sources, "--domain-id", domainID,
		"--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0", "--cache-mb", "8", "--drain-seconds", "5")
	if domain {
		args = append(args, "--domain-file", filepath.Join(m.dir, "domain.yaml"))
	}
	s := &serving{cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	stderr, err := s.cmd.StderrPipe()
	require.NoError(m.t, err)
	require.NoError(m.t, s.cmd.Start())
	m.t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	up := make(chan struct{})
	go s.listen(bufio.NewScanner(stderr), up)
	select {
	case <-up:
	case <-s.ended:
	case <-ctx.Done():
	}
	return s
}

// listen reads what the process says until it ends; it closes up when the process serves.
func (s *serving) listen(lines *bufio.Scanner, up chan struct{}) {
	defer close(s.ended)
	serves := false
	for lines.Scan() {
		var line struct {
			Msg, GRPC string
			Sealed    bool
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" && !serves {
			s.address, s.sealed, serves = line.GRPC, line.Sealed, true
			close(up)
		} else if !serves {
			s.said = lines.Text()
		}
	}
}

// kill ends the process as a power cut would.
func (s *serving) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
	_ = s.cmd.Wait()
}

// start is serve of a machine that must come up.
func (m *machine) start(domain bool) *serving {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s := m.serve(ctx, domain)
	require.True(m.t, s.address != "" && !s.sealed, "seed %d: the server did not come up: sealed %t, %s", run.seed, s.sealed, s.said)
	return s
}

// callers are one client for each party.
func (m *machine) callers(address string) map[string]*client.Client {
	m.t.Helper()
	roots, err := server.LoadCA(filepath.Join(m.data(), "tls", "ca.pem"))
	require.NoError(m.t, err)
	out := map[string]*client.Client{}
	for _, party := range []string{"bank", "leju", "hunlian"} {
		token, err := os.ReadFile(server.TokenFile(m.data(), party))
		require.NoError(m.t, err)
		out[party], err = client.New(client.Options{Address: address, TLS: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, Token: strings.TrimSpace(string(token))})
		require.NoError(m.t, err)
	}
	return out
}

// load asks from many goroutines until the returned function is called. strict demands that a call ends
// with an answer, a refusal, or because the server is gone.
func (m *machine) load(address string, event uint64, strict bool) (stop func()) {
	callers := m.callers(address)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for k := range 16 {
		wg.Go(func() {
			d := newDice(11, event<<8|uint64(k), fmt.Sprintf("p%d-w%d", event, k))
			for ctx.Err() == nil {
				m.ask(ctx, callers, m.pick(d), strict)
				time.Sleep(time.Duration(d.r.IntN(4)) * time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
		for _, c := range callers {
			_ = c.Close()
		}
	}
}

// pick draws a new question, or one whose answer was lost.
func (m *machine) pick(d *dice) *spec.Question {
	q := d.ask(time.Now().UnixMilli())
	again := d.r.IntN(5) == 0
	m.mu.Lock()
	defer m.mu.Unlock()
	if again {
		for _, lost := range m.lost {
			return lost
		}
	}
	m.lost[q.Key] = q
	return q
}

func (m *machine) ask(ctx context.Context, callers map[string]*client.Client, q *spec.Question, strict bool) {
	in := &apiv1.VerifyRequest{Scenario: q.Scenario, Template: q.Query, Consent: q.Consent, IdempotencyKey: q.Key, KeyTimeMs: q.KeyTime.UnixMilli(),
		Subject: &apiv1.Subject{Number: q.Subjects[0].Number, Name: q.Subjects[0].Name, Phone: q.Subjects[0].Phone}}
	out, err := callers[q.Party].Verify(ctx, in)
	if err == nil {
		m.answered(q.Key, out.GetReceipt())
		return
	}
	if client.RefusalOf(err) != nil {
		m.mu.Lock()
		delete(m.lost, q.Key)
		m.mu.Unlock()
		return
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.Canceled, codes.Unknown:
	default:
		if strict {
			m.t.Errorf("a call ended with %v", err)
		}
	}
}

func (m *machine) answered(key string, r *apiv1.Receipt) {
	same, err := m.book.take(key, r.GetReceipt(), r.GetResult())
	if err != nil || !same {
		add(&m.c.TwoStatements)
		m.t.Errorf("seed %d: one key has two answers: %v", run.seed, err)
	}
	add(&m.c.Answers)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.lost, key)
}

// settle asks twice for every answer that was lost, over a server that stays, and stops it in order.
func (m *machine) settle() {
	m.t.Helper()
	s := m.start(false)
	callers := m.callers(s.address)
	m.mu.Lock()
	var lost []*spec.Question
	for _, q := range m.lost {
		lost = append(lost, q)
	}
	m.mu.Unlock()
	for _, q := range lost {
		m.ask(ctx, callers, q, true)
		m.ask(ctx, callers, q, true)
	}
	require.Empty(m.t, m.lost, "answers are missing")
	for _, c := range callers {
		_ = c.Close()
	}
	require.NoError(m.t, s.cmd.Process.Signal(syscall.SIGTERM))
	<-s.ended
	require.NoError(m.t, s.cmd.Wait())
}
