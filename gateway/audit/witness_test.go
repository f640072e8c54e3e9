package audit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const witnessName = "witness.test/w1"

// witnessOptions of a new witness that watches the log of testOptions.
func witnessOptions(t testing.TB) WitnessOptions {
	t.Helper()
	s := fakeSigner{"one"}
	o := WitnessOptions{File: filepath.Join(t.TempDir(), "state"), Name: witnessName, Signer: fakeSigner{"witness"},
		Logs:  []WitnessedLog{{Origin: testOrigin, KeyName: testName, Verify: s.verify}},
		Clock: func() time.Time { return time.Unix(1_800_000_000, 0) }}
	require.NoError(t, InitWitness(o.File))
	return o
}

func witnessKey() WitnessKey {
	s := fakeSigner{"witness"}
	return WitnessKey{ID: s.KeyID(), Verify: s.verify}
}

func mustWitness(t testing.TB, o WitnessOptions) *Witness {
	t.Helper()
	w, err := OpenWitness(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// offer is what the feeder sends for the newest checkpoint of l.
func offer(t testing.TB, l *Log, old uint64) []byte {
	t.Helper()
	path, cp, err := l.ProveConsistency(context.Background(), old)
	require.NoError(t, err)
	return (&AddCheckpoint{Old: old, Proof: path, Checkpoint: cp.Text}).AppendTo(nil)
}

func conflict(t testing.TB, err error) uint64 {
	t.Helper()
	var c *ConflictError
	require.ErrorAs(t, err, &c)
	return c.Size
}

func TestWitnessSignsWhatGrows(t *testing.T) {
	o := witnessOptions(t)
	w := mustWitness(t, o)
	l := mustOpen(t, testOptions(t))
	old := uint64(0)
	for i := range 20 {
		line, err := w.Add(offer(t, l, old))
		require.NoError(t, err)
		cp := l.Latest()
		at, err := VerifyCosignature(cp, line, witnessKey())
		require.NoError(t, err)
		require.Equal(t, int64(1_800_000_000), at)
		got, at, err := ParseCosigned(w.Newest(testOrigin), testOrigin, testName, fakeSigner{"one"}.verify, witnessKey())
		require.NoError(t, err)
		require.Equal(t, int64(1_800_000_000), at)
		require.Equal(t, cp.Root, got.Root)
		old = cp.Size
		again, err := w.Add(offer(t, l, old)) // nothing new: signed again, for its time
		require.NoError(t, err)
		require.Equal(t, line, again)
		fill(t, l, i*7, i*7+7)
	}
	require.NoError(t, l.Close())
	// It remembers across a restart, and only one may hold the memory.
	_, err := OpenWitness(o)
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, w.Close())
	w = mustWitness(t, o)
	_, err = w.Add((&AddCheckpoint{Old: 0, Checkpoint: l.Latest().Text}).AppendTo(nil))
	require.Equal(t, old, conflict(t, err))
}

// The owner of the key rolls everything back, or forks: the witness signs neither. Without a witness both
// copies are logs like any other; that is what it is for.
func TestR56_WitnessRefusesForkAndRollback(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	fill(t, l, 0, 30)
	require.NoError(t, l.Close())
	kept := filepath.Join(t.TempDir(), "kept")
	copyTree(t, filepath.Dir(o.Dir), kept)

	w := mustWitness(t, witnessOptions(t))
	l = mustOpen(t, o)
	fill(t, l, 30, 60)
	_, err := w.Add(offer(t, l, 0))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	cosigned := w.Newest(testOrigin)

	copyTree(t, kept, filepath.Dir(o.Dir)) // log, snapshots and second path alike
	l = mustOpen(t, o)                     // nothing here tells
	_, err = w.Add(offer(t, l, 30))
	require.Equal(t, uint64(60), conflict(t, err), "rolled back")

	for i := range 30 { // and forked: as long as before, and longer
		_, err := l.Append(context.Background(), record(1000+i))
		require.NoError(t, err)
	}
	require.Equal(t, uint64(60), l.Size())
	_, err = w.Add(offer(t, l, 60))
	require.Equal(t, uint64(60), conflict(t, err), "fork of the same size")
	fill(t, l, 60, 80)
	_, err = w.Add(offer(t, l, 60))
	require.ErrorIs(t, err, ErrProof, "fork that grew")
	require.NoError(t, l.Publish(context.Background()))
	require.NoError(t, l.Close())

	// Offline, the forged log verifies by itself, and fails against the witnessed checkpoint.
	public := filepath.Join(o.Dir, "public")
	_, err = VerifyDir(context.Background(), public, testOrigin, testName, o.Verify)
	require.NoError(t, err)
	cp, _, err := ParseCosigned(cosigned, testOrigin, testName, o.Verify, witnessKey())
	require.NoError(t, err)
	var failed *ClaimError
	_, err = VerifyDir(context.Background(), public, testOrigin, testName, o.Verify, Claim{Name: "witness", Checkpoint: cp})
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "witness", failed.Claim)
}

func TestWitnessRefusesByStatus(t *testing.T) {
	w := mustWitness(t, witnessOptions(t))
	l := mustOpen(t, testOptions(t))
	defer l.Close()
	fill(t, l, 0, 10)
	_, err := w.Add(offer(t, l, 0))
	require.NoError(t, err)
	fill(t, l, 10, 20)
	path, cp, err := l.ProveConsistency(context.Background(), 10)
	require.NoError(t, err)
	other := &Checkpoint{Origin: testOrigin, Size: 20, Root: cp.Root, Time: 1}
	require.NoError(t, other.sign(testName, fakeSigner{"two"}))
	foreign := &Checkpoint{Origin: "other", Size: 20, Root: cp.Root, Time: 1}
	require.NoError(t, foreign.sign(testName, fakeSigner{"one"}))
	wrong := append([]Hash{{1}}, path[1:]...)
	for name, c := range map[string]struct {
		req    AddCheckpoint
		status int
	}{
		"old above size":    {AddCheckpoint{Old: 21, Checkpoint: cp.Text}, 400},
		"other key":         {AddCheckpoint{Old: 10, Proof: path, Checkpoint: other.Text}, 403},
		"other log":         {AddCheckpoint{Old: 10, Proof: path, Checkpoint: foreign.Text}, 404},
		"old size 0":        {AddCheckpoint{Old: 0, Checkpoint: cp.Text}, 409},
		"old size guessed":  {AddCheckpoint{Old: 9, Proof: path, Checkpoint: cp.Text}, 409},
		"no proof":          {AddCheckpoint{Old: 10, Checkpoint: cp.Text}, 422},
		"wrong proof":       {AddCheckpoint{Old: 10, Proof: wrong, Checkpoint: cp.Text}, 422},
		"one hash too many": {AddCheckpoint{Old: 10, Proof: append(path[:len(path):len(path)], Hash{}), Checkpoint: cp.Text}, 422},
		"changed note":      {AddCheckpoint{Old: 10, Proof: path, Checkpoint: append(cp.Text[:len(cp.Text):len(cp.Text)], 'x')}, 403},
	} {
		line, err := w.Add(c.req.AppendTo(nil))
		status, _, body := WitnessAnswer(line, err)
		require.Equal(t, c.status, status, "%s: %v", name, err)
		if status == 409 {
			size, err := ParseConflict(body)
			require.NoError(t, err)
			require.Equal(t, uint64(10), size)
		}
	}
	line, err := w.Add((&AddCheckpoint{Old: 10, Proof: path, Checkpoint: cp.Text}).AppendTo(nil))
	status, media, body := WitnessAnswer(line, err)
	require.Equal(t, 200, status)
	require.Equal(t, typeText, media)
	require.Equal(t, line, body)
	status, _, body = WitnessAnswer(nil, errors.New("disk at /secret"))
	require.Equal(t, 500, status)
	require.NotContains(t, string(body), "secret")
}

// A cosignature is of one key, one time and one checkpoint.
func TestCosignatureBindsAllOfIt(t *testing.T) {
	cp := testCheckpoint(t, 7)
	line, err := Cosign(cp, witnessName, 1_800_000_000, fakeSigner{"witness"})
	require.NoError(t, err)
	_, err = VerifyCosignature(cp, line, witnessKey())
	require.NoError(t, err)
	for i := range line {
		bad := append([]byte(nil), line...)
		bad[i] ^= 1
		_, err := VerifyCosignature(cp, bad, witnessKey())
		require.Error(t, err, "byte %d", i)
	}
	other := fakeSigner{"other"}
	_, err = VerifyCosignature(cp, line, WitnessKey{ID: other.KeyID(), Verify: other.verify})
	require.ErrorIs(t, err, ErrCosignature)
	_, err = VerifyCosignature(testCheckpoint(t, 8), line, witnessKey())
	require.ErrorIs(t, err, ErrCosignature)
	later, err := Cosign(cp, witnessName, 1_800_000_060, fakeSigner{"witness"})
	require.NoError(t, err)
	at, err := VerifyCosignature(cp, append(append([]byte(nil), line...), later...), witnessKey())
	require.NoError(t, err)
	require.Equal(t, int64(1_800_000_060), at, "the newest of several")
	_, err = Cosign(cp, "two words", 1, fakeSigner{"witness"})
	require.ErrorIs(t, err, ErrCosignature)
	// A signature of the log's own key is none, though it stands in the same place.
	_, _, err = ParseCosigned(cp.Text, testOrigin, testName, fakeSigner{"one"}.verify, witnessKey())
	require.ErrorIs(t, err, ErrCosignature)
	require.Equal(t, fmt.Sprintf("cosignature/v1\ntime 5\n%s", cp.body(nil)), string(cosigned(cp, 5)))
}

func TestWitnessWithoutMemoryDoesNotStart(t *testing.T) {
	o := witnessOptions(t)
	require.Error(t, InitWitness(o.File), "memory is never made anew")
	text, err := os.ReadFile(o.File)
	require.NoError(t, err)
	for i := range text {
		bad := append([]byte(nil), text...)
		bad[i] ^= 1
		require.NoError(t, os.WriteFile(o.File, bad, 0o600))
		_, err := OpenWitness(o)
		require.ErrorIs(t, err, ErrDamaged)
	}
	require.NoError(t, os.Remove(o.File))
	_, err = OpenWitness(o)
	require.ErrorContains(t, err, "missing")
	o.Logs = append(o.Logs, o.Logs[0])
	_, err = OpenWitness(o)
	require.Error(t, err, "one origin twice")
}

// What a witness answered it remembers after a power failure; a failing disk stops it.
func TestWitnessMemoryIsDurableFirst(t *testing.T) {
	l := mustOpen(t, testOptions(t))
	defer l.Close()
	var offers [][]byte
	for i := range 6 {
		offers = append(offers, offer(t, l, uint64(max(0, i*3-3))))
		fill(t, l, i*3, i*3+3)
	}
	for at := 0; at < 40; at++ {
		st := newMemStore()
		require.NoError(t, initWitness(st, "w/state"))
		ops := 0
		st.hook = func(string, string) error {
			if ops++; ops > at {
				return syscall.EIO
			}
			return nil
		}
		o := witnessOptions(t)
		o.File, o.store = "w/state", st
		promised := uint64(0)
		if w, err := OpenWitness(o); err == nil {
			for i, body := range offers {
				line, err := w.Add(body)
				require.Equal(t, err == nil, line != nil)
				if err == nil {
					promised = uint64(i * 3)
				}
			}
		}
		st.hook = nil
		r := rand.New(rand.NewPCG(uint64(at), 1))
		for range 5 {
			o.store = st.crash(r)
			w, err := OpenWitness(o)
			require.NoError(t, err)
			var held uint64
			if m := w.known[testOrigin]; m != nil {
				held = m.size
			}
			require.GreaterOrEqual(t, held, promised)
		}
	}
}

// However requests race, what is signed is one line of growth.
func TestWitnessIsOneLineUnderRace(t *testing.T) {
	w := mustWitness(t, witnessOptions(t))
	l := mustOpen(t, testOptions(t))
	defer l.Close()
	var bodies [][]byte
	for i := range 10 {
		fill(t, l, i, i+1)
		bodies = append(bodies, offer(t, l, 0))
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	signed := 0
	for _, body := range bodies {
		wg.Go(func() {
			if _, err := w.Add(body); err == nil {
				mu.Lock()
				signed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, signed, "only one of them can build on nothing")
}

func FuzzParseAddCheckpoint(f *testing.F) {
	f.Add((&AddCheckpoint{Old: 3, Proof: []Hash{{1}, {2}}, Checkpoint: testCheckpoint(f, 42).Text}).AppendTo(nil))
	f.Add([]byte("old 0\n\nx\n"))
	f.Add([]byte("old 00\n\nx\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAddCheckpoint(b)
		if err != nil {
			require.ErrorIs(t, err, ErrRequest)
			return
		}
		require.Equal(t, string(b), string(a.AppendTo(nil)))
	})
}

func FuzzParseCosigned(f *testing.F) {
	cp := testCheckpoint(f, 42)
	line, err := Cosign(cp, witnessName, 9, fakeSigner{"witness"})
	require.NoError(f, err)
	f.Add(cp.WithCosignature(line))
	f.Add(append(cp.WithCosignature(line), line...))
	yes := func(_, _ []byte) bool { return true }
	f.Fuzz(func(t *testing.T, b []byte) {
		cp, at, err := ParseCosigned(b, testOrigin, testName, yes, WitnessKey{ID: witnessKey().ID, Verify: yes})
		if err == nil && (at <= 0 || !strings.HasPrefix(string(b), string(cp.body(nil)))) {
			t.Fatal("accepted without a time or a body")
		}
	})
}

func FuzzParseWitness(f *testing.F) {
	f.Add(encodeWitness(nil))
	f.Add(encodeWitness(map[string]*remembered{"a": {size: 3, note: []byte("n")}, "b": {}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if known, err := parseWitness(b); err == nil {
			require.Equal(t, string(b), string(encodeWitness(known)))
		}
	})
}
