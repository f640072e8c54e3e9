package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"yumen-party": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": exitStatus}})
}

// exitStatus CODE COMMAND ... requires the exit status.
func exitStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// syncBuffer is what the command prints, readable while it runs.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// execute runs the command line until ctx ends, and gives what it printed.
func execute(ctx context.Context, out io.Writer, args ...string) error {
	c := root()
	c.SetArgs(args)
	c.SetOut(out)
	return c.ExecuteContext(ctx)
}

// world is a log with keys of its own and a witness that serves.
type world struct {
	log *audit.Log
	key keyring.SignerKey // of the log
	url string
	pub keyring.PublicKey // of the witness
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{}
	var err error
	w.key, err = keyring.GenerateSigner(keyring.Checkpoint, rand.Reader)
	require.NoError(t, err)
	trust := &receipt.Trust{Domain: "jilin", Origin: "yumen/jilin", KeyName: "yumen", CheckpointKey: w.key.Public().String(), NotBefore: "2026-01-01"}
	text, err := trust.Marshal()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "trust"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "trust", "trust.json"), text, 0o600))
	w.log, err = audit.Open(context.Background(), audit.Options{
		Dir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "second"), Origin: "yumen/jilin", KeyName: "yumen",
		Signer: signer{w.key}, Verify: w.verify, Clock: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.log.Close() })

	key, state := filepath.Join(dir, "w.key"), filepath.Join(dir, "state")
	var made bytes.Buffer
	require.NoError(t, execute(context.Background(), &made, "witness", "init", "--key", key, "--state", state))
	w.pub, err = keyring.ParsePublicKey(strings.TrimSpace(made.String()))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := &syncBuffer{}, make(chan error, 1)
	go func() {
		ended <- execute(ctx, out, "witness", "--listen", "127.0.0.1:0", "--key", key, "--state", state, "--trust", filepath.Join(dir, "trust"))
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "\n") }, 10*time.Second, time.Millisecond)
	w.url = "http://" + strings.Fields(out.String())[2]
	return w
}

func (w *world) verify(msg, sig []byte) bool {
	return w.key.Public().Verify(keyring.Checkpoint, msg, sig)
}

func (w *world) witness() audit.WitnessKey {
	return audit.WitnessKey{ID: w.pub.ID(), Verify: func(msg, sig []byte) bool { return w.pub.Verify(keyring.Witness, msg, sig) }}
}

func (w *world) post(t *testing.T, body []byte) (int, string, []byte) {
	t.Helper()
	resp, err := http.Post(w.url+"/add-checkpoint", "text/plain", bytes.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header.Get("Content-Type"), text
}

func TestWitnessServes(t *testing.T) {
	w := newWorld(t)
	offer := func(old uint64) []byte {
		path, cp, err := w.log.ProveConsistency(context.Background(), old)
		require.NoError(t, err)
		return (&audit.AddCheckpoint{Old: old, Proof: path, Checkpoint: cp.Text}).AppendTo(nil)
	}
	for i := range 5 {
		_, err := w.log.Append(context.Background(), audit.Record{Kind: audit.Release, Time: int64(i)})
		require.NoError(t, err)
		status, _, line := w.post(t, offer(uint64(i)))
		require.Equal(t, http.StatusOK, status, "%s", line)
		_, err = audit.VerifyCosignature(w.log.Latest(), line, w.witness())
		require.NoError(t, err)
	}
	status, media, body := w.post(t, offer(0))
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, "text/x.tlog.size", media)
	require.Equal(t, "5\n", string(body))

	resp, err := http.Get(w.url + "/checkpoint?origin=yumen%2Fjilin")
	require.NoError(t, err)
	note, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	cp, _, err := audit.ParseCosigned(note, "yumen/jilin", "yumen", w.verify, w.witness())
	require.NoError(t, err)
	require.Equal(t, uint64(5), cp.Size)

	for path, want := range map[string]int{"/checkpoint": 404, "/checkpoint?origin=x": 404, "/add-checkpoint": 405, "/": 404, "/healthz": 200} {
		resp, err := http.Get(w.url + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode, path)
	}
	status, _, _ = w.post(t, make([]byte, audit.MaxAddCheckpoint+1))
	require.Equal(t, http.StatusBadRequest, status)
	status, _, _ = w.post(t, nil)
	require.Equal(t, http.StatusBadRequest, status)
}
