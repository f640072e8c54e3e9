package e2e

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

type outsideSigner struct{ keyring.SignerKey }

func (s outsideSigner) KeyID() [32]byte { return s.Public().ID() }

// outside is a witness and an exchange platform that can be silenced.
type outside struct {
	*httptest.Server
	witness *audit.Witness
	key     keyring.SignerKey // of the witness
	word    keyring.SignerKey // of the platform
	trust   *receipt.Trust

	mu     sync.Mutex
	silent bool
	raw    []byte
}

func newOutside(t *testing.T, g *gateway) *outside {
	t.Helper()
	o := &outside{}
	text, err := os.ReadFile(g.data("trust", "trust.json"))
	require.NoError(t, err)
	o.trust, err = receipt.ParseTrust(text)
	require.NoError(t, err)
	o.key, err = keyring.GenerateSigner(keyring.Witness, rand.Reader)
	require.NoError(t, err)
	o.word, err = keyring.GenerateSigner(keyring.PartyReceipt, rand.Reader)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "state")
	require.NoError(t, audit.InitWitness(file))
	o.witness, err = audit.OpenWitness(audit.WitnessOptions{File: file, Name: "w", Signer: outsideSigner{o.key}, Clock: time.Now,
		Logs: []audit.WitnessedLog{{Origin: o.trust.Origin, KeyName: o.trust.KeyName, Verify: o.verify}}})
	require.NoError(t, err)
	o.Server = httptest.NewServer(o)
	t.Cleanup(func() {
		o.Close()
		require.NoError(t, o.witness.Close())
	})
	return o
}

func (o *outside) verify(msg, sig []byte) bool {
	key, err := keyring.ParsePublicKey(o.trust.CheckpointKey)
	return err == nil && key.Verify(keyring.Checkpoint, msg, sig)
}

func (o *outside) flags() map[string]string {
	return map[string]string{
		"witness-url": o.URL, "witness-key": o.key.Public().String(), "witness-max-age": "2s",
		"push-url": o.URL + "/push", "push-key": o.word.Public().String(), "push-deadline": "2s",
	}
}

func (o *outside) silence(yes bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.silent = yes
}

func (o *outside) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	body, _ := io.ReadAll(req.Body)
	if o.silent {
		http.Error(rw, "silent", http.StatusServiceUnavailable)
		return
	}
	if req.URL.Path == "/add-checkpoint" {
		status, media, text := audit.WitnessAnswer(o.witness.Add(body))
		rw.Header().Set("Content-Type", media)
		rw.WriteHeader(status)
		_, _ = rw.Write(text)
		return
	}
	word, err := o.take(body)
	if err != nil {
		http.Error(rw, "refused", http.StatusUnprocessableEntity)
		return
	}
	_, _ = rw.Write(word)
}

// take believes the checkpoint's root where the bundle reaches up to it; the whole check is that of a
// platform proper.
func (o *outside) take(text []byte) ([]byte, error) {
	b, err := audit.ParseBundle(text)
	if err != nil {
		return nil, err
	}
	cp, err := audit.ParseCheckpoint(b.Checkpoint, o.trust.Origin, o.trust.KeyName, o.verify)
	if err != nil || cp.Size != b.To || b.From*audit.EntrySize > uint64(len(o.raw)) {
		return nil, errors.New("not the next entries")
	}
	o.raw = append(o.raw[:b.From*audit.EntrySize], b.Entries...)
	w := &audit.PushReceipt{Origin: cp.Origin, Size: b.To, Root: cp.Root, Time: cp.Time}
	if w.Signature, err = o.word.Sign(w.Message()); err != nil {
		return nil, err
	}
	return w.Encode()
}

func (o *outside) entries() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.raw) / audit.EntrySize
}

// settled asks until the gateway answers.
func (g *gateway) settled() {
	g.t.Helper()
	require.Eventually(g.t, func() bool {
		_, err := g.verify("bank", "finance", "owns-home", common.people[0].RID)
		return err == nil
	}, 30*time.Second, 20*time.Millisecond)
}

// While witness and platform sign, questions are answered and the platform has every entry; when they fall
// silent, questions are refused by rule within the time set; when they come back, it goes on, after a
// restart too, from where the log says.
func TestR57_R56_SilenceOutsideStopsTheGateway(t *testing.T) {
	g := start(t, options{})
	o := newOutside(t, g)
	g.stop()
	g = start(t, options{dir: g.dir, noDomain: true, flags: o.flags()})
	g.settled()
	g.load()
	require.Eventually(t, func() bool { return uint64(o.entries())+2 >= g.server.Runner().Latest().Size }, 20*time.Second, 10*time.Millisecond)

	o.silence(true)
	rules := map[string]bool{}
	require.Eventually(t, func() bool {
		_, err := g.verify("bank", "finance", "owns-home", common.people[0].RID)
		if r := client.RefusalOf(err); r != nil {
			rules[r.GetRule()] = true
		}
		return err != nil
	}, 30*time.Second, 50*time.Millisecond)
	require.Subset(t, []string{string(governance.WitnessMissing), string(governance.PushMissing)}, keysOf(rules))
	_, err := g.as("yunying").Jobs.Submit(ctx(), &apiv1.SubmitRequest{Scenario: "housing", Mask: "household-sample"})
	require.Contains(t, []string{string(governance.WitnessMissing), string(governance.PushMissing)}, client.RefusalOf(err).GetRule())

	o.silence(false)
	g.settled()
	g.stop()
	g = start(t, options{dir: g.dir, noDomain: true, flags: o.flags()})
	g.settled()
	require.Eventually(t, func() bool { return uint64(o.entries())+2 >= g.server.Runner().Latest().Size }, 20*time.Second, 10*time.Millisecond)
	o.mu.Lock()
	defer o.mu.Unlock()
	mine, err := g.server.Runner().Entries(ctx(), 0, uint64(len(o.raw)/audit.EntrySize))
	require.NoError(t, err)
	require.Equal(t, mine, o.raw, "the platform has the entries of the log")
}

func keysOf(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

// Every copy on the gateway's machine is put back to an older state. It starts and finds nothing wrong; its
// witness remembers, and it answers nothing. Without a witness it would answer.
func TestR56_RollbackOfEverythingAnswersNothing(t *testing.T) {
	g := start(t, options{})
	o := newOutside(t, g)
	g.load()
	g.stop()
	older := t.TempDir()
	for _, name := range []string{"log", "checkpoints"} {
		require.NoError(t, os.CopyFS(filepath.Join(older, name), os.DirFS(g.data(name))))
	}
	g = start(t, options{dir: g.dir, noDomain: true, flags: o.flags()})
	g.settled()
	g.load()
	g.stop()
	for _, name := range []string{"log", "checkpoints"} {
		require.NoError(t, os.RemoveAll(g.data(name)))
		require.NoError(t, os.CopyFS(g.data(name), os.DirFS(filepath.Join(older, name))))
	}
	g = start(t, options{dir: g.dir, noDomain: true, flags: o.flags()})
	require.Empty(t, g.server.Sealed(), "nothing on this machine tells")
	require.Eventually(t, func() bool {
		_, err := g.verify("bank", "finance", "owns-home", common.people[0].RID)
		require.Error(t, err, "not one answer")
		return client.RefusalOf(err).GetRule() == string(governance.Sealed)
	}, 30*time.Second, 20*time.Millisecond)
	g.stop()
	g = start(t, options{dir: g.dir, noDomain: true})
	g.must("bank", "finance", "owns-home", common.people[0].RID)
}

// Nothing cuts a log: a log whose oldest part was taken away, long after the agreements ended or not, is not
// opened, and fsck says so.
func TestR58_ALogThatWasPrunedIsNotOpened(t *testing.T) {
	g := start(t, options{})
	g.load()
	g.stop()
	first := segment(t, g)
	require.NoError(t, os.Rename(first, filepath.Join(t.TempDir(), "archive")))
	r, err := g.fsck()
	require.NoError(t, err)
	require.False(t, r.OK)
	g = start(t, options{dir: g.dir, noDomain: true})
	require.NotEmpty(t, g.server.Sealed())
}
