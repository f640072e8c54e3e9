package feed

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

const origin = "yumen/test"

type signer struct{ keyring.SignerKey }

func (s signer) KeyID() [32]byte { return s.Public().ID() }

func newKey(t *testing.T, p keyring.Purpose) keyring.SignerKey {
	t.Helper()
	key, err := keyring.GenerateSigner(p, rand.Reader)
	require.NoError(t, err)
	return key
}

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// gatewayLog is a log that keeps the platform's words as the gateway does.
type gatewayLog struct {
	*audit.Log
	t   *testing.T
	dir string
	key keyring.SignerKey
	// words by the index of their entry
	words map[uint64]*audit.PushReceipt
}

func newLog(t *testing.T) *gatewayLog {
	t.Helper()
	l := &gatewayLog{t: t, dir: t.TempDir(), key: newKey(t, keyring.Checkpoint), words: map[uint64]*audit.PushReceipt{}}
	l.open()
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func (l *gatewayLog) open() {
	var err error
	l.Log, err = audit.Open(context.Background(), audit.Options{
		Dir: filepath.Join(l.dir, "log"), CheckpointDir: filepath.Join(l.dir, "second"), Origin: origin, KeyName: "yumen",
		Signer: signer{l.key}, Verify: l.verify, Clock: time.Now,
	})
	require.NoError(l.t, err)
}

func (l *gatewayLog) verify(msg, sig []byte) bool {
	return l.key.Public().Verify(keyring.Checkpoint, msg, sig)
}

func (l *gatewayLog) fill(n int) {
	l.t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, err := l.Append(context.Background(), audit.Record{Kind: audit.Release, Private: []byte{1}}); err != nil {
				l.t.Error(err)
			}
		})
	}
	wg.Wait()
}

func (l *gatewayLog) Acknowledge(ctx context.Context, word []byte) (uint64, error) {
	w, err := audit.ParsePushReceipt(word)
	if err != nil {
		return 0, err
	}
	a, err := l.Append(ctx, audit.Record{Kind: audit.Outcome, Private: word})
	if err != nil {
		return 0, err
	}
	l.words[a.Index] = w
	return a.Index, nil
}

func (l *gatewayLog) Acknowledged(context.Context) (size uint64, words []uint64, err error) {
	for i, w := range l.words {
		size = max(size, w.Size)
		words = append(words, i)
	}
	return size, slices.DeleteFunc(words, func(i uint64) bool { return i < size }), nil
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// witness serves a witness of the log over HTTP.
func witness(t *testing.T, l *gatewayLog, c *clock) (*audit.Witness, keyring.SignerKey, *httptest.Server) {
	t.Helper()
	key, file := newKey(t, keyring.Witness), filepath.Join(t.TempDir(), "state")
	require.NoError(t, audit.InitWitness(file))
	w, err := audit.OpenWitness(audit.WitnessOptions{File: file, Name: "w", Signer: signer{key}, Clock: c.now,
		Logs: []audit.WitnessedLog{{Origin: origin, KeyName: "yumen", Verify: l.verify}}})
	require.NoError(t, err)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		status, media, text := audit.WitnessAnswer(w.Add(body))
		rw.Header().Set("Content-Type", media)
		rw.WriteHeader(status)
		_, _ = rw.Write(text)
	}))
	t.Cleanup(func() {
		s.Close()
		_ = w.Close()
	})
	return w, key, s
}

func TestR56_NobodyIsAnsweredUnwitnessed(t *testing.T) {
	l, c := newLog(t), &clock{at: time.Now()}
	l.fill(10)
	_, key, s := witness(t, l, c)
	f := NewWitness(WitnessOptions{URL: s.URL + "/", Key: key.Public(), MaxAge: time.Minute, Log: l,
		Client: NewClient(nil, 5*time.Second), Clock: c.now, Logger: quiet()})
	require.Equal(t, governance.WitnessMissing, f.Ready(), "before the first signature")
	require.Nil(t, f.Newest())
	require.NoError(t, f.push(context.Background()))
	require.Empty(t, f.Ready())
	cp, _, err := audit.ParseCosigned(f.Newest(), origin, "yumen", l.verify,
		audit.WitnessKey{ID: key.Public().ID(), Verify: func(m, s []byte) bool { return key.Public().Verify(keyring.Witness, m, s) }})
	require.NoError(t, err)
	require.Equal(t, uint64(10), cp.Size)
	f.tried = c.now()
	require.False(t, f.due())
	c.move(2 * time.Second)
	require.False(t, f.due(), "nothing new")
	l.fill(1)
	require.True(t, f.due())
	require.NoError(t, f.push(context.Background()))
	f.tried = c.now()
	c.move(21 * time.Second)
	require.True(t, f.due(), "a third of the age allowed")

	s.Close()
	require.Error(t, f.push(context.Background()))
	c.move(38 * time.Second)
	require.Empty(t, f.Ready())
	c.move(2 * time.Second)
	require.Equal(t, governance.WitnessMissing, f.Ready())
	f.o.MaxAge = 0
	require.Empty(t, f.Ready(), "a witness that is not required")
}

// A feed that starts anew learns what the witness remembers; what a witness says under another key, or of
// another time, is nothing.
func TestWitnessFeedStartsAnew(t *testing.T) {
	l, c := newLog(t), &clock{at: time.Now()}
	_, key, s := witness(t, l, c)
	feed := func() *Witness {
		return NewWitness(WitnessOptions{URL: s.URL, Key: key.Public(), Log: l, Client: NewClient(nil, 5*time.Second), Clock: c.now, Logger: quiet()})
	}
	for range 3 {
		l.fill(7)
		require.NoError(t, feed().push(context.Background()))
	}
	foreign := feed()
	foreign.o.Key = newKey(t, keyring.Witness).Public()
	require.ErrorIs(t, foreign.push(context.Background()), audit.ErrCosignature)
	late := feed()
	late.o.Clock = func() time.Time { return c.now().Add(time.Hour) }
	require.ErrorContains(t, late.push(context.Background()), "clock")
	require.Zero(t, late.signed.Load())
}

// The gateway's operator restores older copies of everything: the gateway itself finds nothing wrong, but
// its witness does, and it refuses.
func TestR56_RollbackOfEverythingIsRefusedByTheWitness(t *testing.T) {
	l, c := newLog(t), &clock{at: time.Now()}
	l.fill(20)
	require.NoError(t, l.Close())
	kept := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(kept, "all"), os.DirFS(l.dir)))
	l.open()
	_, key, s := witness(t, l, c)
	o := WitnessOptions{URL: s.URL, Key: key.Public(), Log: l, Client: NewClient(nil, 5*time.Second), Clock: c.now, Logger: quiet()}
	l.fill(20)
	require.NoError(t, NewWitness(o).push(context.Background()))
	require.NoError(t, l.Close())

	for name, more := range map[string]int{"shorter": 0, "as long": 20, "longer": 50} {
		require.NoError(t, os.RemoveAll(l.dir))
		require.NoError(t, os.CopyFS(l.dir, os.DirFS(filepath.Join(kept, "all"))))
		l.open()
		for range more {
			_, err := l.Append(context.Background(), audit.Record{Kind: audit.Refusal, Private: []byte(name)})
			require.NoError(t, err)
		}
		o.Log = l
		f := NewWitness(o)
		err := f.push(context.Background())
		require.ErrorIs(t, err, ErrDiffers, name)
		f.report(context.Background(), err)
		require.Equal(t, governance.Sealed, f.Ready(), name)
		require.NoError(t, l.Close())
	}
}

func TestHostileAnswersOfAWitness(t *testing.T) {
	l, c := newLog(t), &clock{at: time.Now()}
	l.fill(3)
	for name, answer := range map[string]http.HandlerFunc{
		"too long": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, witnessReply+1)) },
		"empty":    func(http.ResponseWriter, *http.Request) {},
		"moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
		"no size":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(409); _, _ = w.Write([]byte("-1\n")) },
		"for ever":      func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(409); _, _ = w.Write([]byte("2\n")) },
		"error":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"hangs up":      func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"never answers": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
	} {
		s := httptest.NewServer(answer)
		f := NewWitness(WitnessOptions{URL: s.URL, Key: newKey(t, keyring.Witness).Public(), Log: l,
			Client: NewClient(nil, 200*time.Millisecond), Clock: c.now, Logger: quiet()})
		err := f.push(context.Background())
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), s.URL, name)
		require.Zero(t, f.signed.Load(), name)
		s.CloseClientConnections()
		s.Close()
	}
}

func TestURLs(t *testing.T) {
	for text, ok := range map[string][2]bool{
		"https://w.example/x": {true, true}, "http://w.example": {true, false}, "": {}, "w.example": {}, "https://": {},
		"https://u:p@w.example": {}, "https://w.example?x": {}, "file:///x": {},
	} {
		_, err := ParseURL(text, false)
		require.Equal(t, ok[0], err == nil, text)
		_, err = ParseURL(text, true)
		require.Equal(t, ok[1], err == nil, text)
	}
}

// platform is a sink as an exchange platform has it: it keeps entries, computes the root itself, and signs.
type platform struct {
	mu     sync.Mutex
	t      *testing.T
	l      *gatewayLog
	key    keyring.SignerKey
	leaves []audit.Hash
	raw    []byte
	lose   int // replies to lose after the bundle was taken
	posts  int
	most   int
}

var errBundle = errors.New("bundle refused")

func (p *platform) take(text []byte) ([]byte, error) {
	b, err := audit.ParseBundle(text)
	if err != nil {
		return nil, err
	}
	have := uint64(len(p.leaves))
	if b.From > have || b.To < have {
		return nil, errBundle
	}
	again := (have - b.From) * audit.EntrySize
	if !bytes.Equal(b.Entries[:again], p.raw[b.From*audit.EntrySize:]) {
		return nil, errBundle
	}
	leaves, raw := p.leaves, append(p.raw[:len(p.raw):len(p.raw)], b.Entries[again:]...)
	for at := again; at < uint64(len(b.Entries)); at += audit.EntrySize {
		leaves = append(leaves, audit.LeafHash(b.Entries[at:at+audit.EntrySize]))
	}
	root := rootOf(leaves)
	cp, err := audit.ParseCheckpoint(b.Checkpoint, origin, "yumen", p.l.verify)
	if err != nil {
		return nil, err
	}
	if err := audit.VerifyConsistency(&audit.Checkpoint{Size: b.To, Root: root}, cp, b.Proof); err != nil {
		return nil, err
	}
	p.leaves, p.raw = leaves, raw
	w := &audit.PushReceipt{Origin: origin, Size: b.To, Root: root, Time: 1}
	if w.Signature, err = p.key.Sign(w.Message()); err != nil {
		return nil, err
	}
	return w.Encode()
}

func (p *platform) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, _ := io.ReadAll(req.Body)
	p.posts, p.most = p.posts+1, max(p.most, len(text))
	word, err := p.take(text)
	if err != nil {
		http.Error(rw, "refused", http.StatusUnprocessableEntity)
		return
	}
	if p.lose > 0 {
		p.lose--
		panic(http.ErrAbortHandler)
	}
	_, _ = rw.Write(word)
}

// rootOf is the tree of RFC 6962, section 2.1.
func rootOf(leaves []audit.Hash) audit.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	l, r := rootOf(leaves[:k]), rootOf(leaves[k:])
	return audit.HashOf(append(append([]byte{1}, l[:]...), r[:]...))
}

func newPlatform(t *testing.T, l *gatewayLog) (*platform, *httptest.Server) {
	t.Helper()
	p := &platform{t: t, l: l, key: newKey(t, keyring.PartyReceipt)}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return p, s
}

func pushTo(url string, key keyring.PublicKey, l PushLog, c *clock) *Push {
	return NewPush(PushOptions{URL: url, Key: key, Deadline: 10 * time.Second, Log: l, Client: NewClient(nil, 5*time.Second), Clock: c.now, Logger: quiet()})
}

// drain pushes until nothing waits.
func drain(t *testing.T, p *Push) {
	t.Helper()
	for p.waiting(context.Background()) {
		require.NoError(t, p.push(context.Background()))
	}
}

// Every entry reaches the platform, in order and once for all, and its signed word is an entry here; it
// goes on after a restart and after a lost reply, and words alone call for no more words.
// held is how many entries the platform has; its handler may still be at work after an answer was lost.
func (p *platform) held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.leaves)
}

func TestR57_EntriesReachTheExchangePlatform(t *testing.T) {
	l, c := newLog(t), &clock{at: time.Now()}
	platform, s := newPlatform(t, l)
	l.fill(30)
	p := pushTo(s.URL, platform.key.Public(), l, c)
	drain(t, p)
	require.Len(t, platform.leaves, 30)
	require.Equal(t, uint64(31), l.Size(), "the word is an entry")
	require.Equal(t, 1, platform.posts)
	drain(t, p)
	require.Equal(t, 1, platform.posts, "nothing but a word waits")

	l.fill(5)
	platform.lose = 1
	require.True(t, p.waiting(context.Background()))
	require.Error(t, p.push(context.Background()))
	require.Equal(t, 36, platform.held(), "taken, though the word was lost")
	l.fill(4)
	p = pushTo(s.URL, platform.key.Public(), l, c) // a restart: only the log remembers
	drain(t, p)
	require.Len(t, platform.leaves, 40)
	l.fill(2*audit.MaxBundleEntries + 10)
	drain(t, p)
	require.LessOrEqual(t, platform.most, audit.MaxBundle)
	raw, err := l.Entries(context.Background(), 0, uint64(len(platform.leaves)))
	require.NoError(t, err)
	require.Equal(t, raw, platform.raw)
	drain(t, pushTo(s.URL, platform.key.Public(), l, c))
	require.Empty(t, p.Ready())
}

func TestR57_ASinkThatFailsIsWaitedForThenNothingIsAnswered(t *testing.T) {
	l, c := newLog(t), &clock{at: time.Now()}
	platform, s := newPlatform(t, l)
	l.fill(3)
	p := pushTo(s.URL, platform.key.Public(), l, c)
	require.True(t, p.waiting(context.Background()))
	c.move(9 * time.Second)
	require.Empty(t, p.Ready(), "within the deadline")
	c.move(2 * time.Second)
	require.Equal(t, governance.PushMissing, p.Ready())
	drain(t, p)
	require.Empty(t, p.Ready())
	c.move(time.Hour)
	require.Empty(t, p.Ready(), "nothing waits")
	// A word of another key, another tree or another log is none.
	l.fill(1)
	p.o.Key = newKey(t, keyring.PartyReceipt).Public()
	require.True(t, p.waiting(context.Background()))
	require.ErrorIs(t, p.push(context.Background()), audit.ErrPushReceipt)
	s.Close()
	p.o.Key = platform.key.Public()
	require.Error(t, p.push(context.Background()))
	c.move(11 * time.Second)
	require.Equal(t, governance.PushMissing, p.Ready())
}

// Both feeds work by themselves and end with their context.
func TestFeedsRun(t *testing.T) {
	l := newLog(t)
	platform, s := newPlatform(t, l)
	now := &clock{at: time.Now()}
	_, key, ws := witness(t, l, now)
	p := pushTo(s.URL, platform.key.Public(), l, now)
	p.o.Clock = time.Now
	w := NewWitness(WitnessOptions{URL: ws.URL, Key: key.Public(), MaxAge: time.Minute, Log: l, Client: NewClient(nil, 5*time.Second), Clock: time.Now, Logger: quiet()})
	pushing, stopPush := context.WithCancel(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	var push, wg sync.WaitGroup
	push.Go(func() { p.Run(pushing) })
	wg.Go(func() { w.Run(ctx) })
	l.fill(50)
	require.Eventually(t, func() bool {
		platform.mu.Lock()
		defer platform.mu.Unlock()
		words := uint64(platform.posts) // each is an entry, in the end
		return len(platform.leaves) >= 50 && l.Size() == 50+words && w.Newest() != nil && w.Ready() == ""
	}, 20*time.Second, 10*time.Millisecond)
	stopPush()
	push.Wait() // the platform's last word is an entry too
	cancel()
	wg.Wait()
	require.Equal(t, l.Size(), w.old, "the last entries too")
}
