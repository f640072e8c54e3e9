package vault

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var errPower = errors.New("power is gone")

// faulty is a disk with a cache: what was not synced may or may not be there after a crash.
type faulty struct {
	files  map[string]*cached
	steps  int // writing operations so far
	failAt int // this one and all after it fail; 0: none
	// lies names a file whose Sync does nothing.
	lies string
	log  []string
}

type cached struct {
	durable, now []byte
	writes       []write // since the last sync
}

type write struct {
	at int64 // -1: truncate to size
	b  []byte
	n  int64
}

func (w write) apply(b []byte) []byte {
	if w.at < 0 {
		return append([]byte(nil), append(b, make([]byte, max(0, w.n-int64(len(b))))...)[:w.n]...)
	}
	if missing := w.at + int64(len(w.b)) - int64(len(b)); missing > 0 {
		b = append(b, make([]byte, missing)...)
	}
	copy(b[w.at:], w.b)
	return b
}

func (d *faulty) step(what string) error {
	d.steps++
	d.log = append(d.log, what)
	if d.failAt > 0 && d.steps >= d.failAt {
		return errPower
	}
	return nil
}

func (d *faulty) Open(name string) (file, error) {
	if d.files[name] == nil {
		d.files[name] = &cached{}
	}
	return &faultyFile{d, d.files[name], filepath.Base(name)}, nil
}
func (d *faulty) MkdirAll(name string) error { return os.MkdirAll(name, 0o700) }
func (d *faulty) SyncDir(name string) error  { return d.step("dir") }

// crash keeps, of what was not synced, the writes that keep chooses.
func (d *faulty) crash(keep func(name string) bool) *faulty {
	after := &faulty{files: map[string]*cached{}}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		b := slices.Clone(d.files[name].durable)
		for _, w := range d.files[name].writes {
			if keep(filepath.Base(name)) {
				b = w.apply(b)
			}
		}
		after.files[name] = &cached{durable: b, now: slices.Clone(b)}
	}
	return after
}

type faultyFile struct {
	d    *faulty
	f    *cached
	name string
}

func (f *faultyFile) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.f.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.f.now[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
func (f *faultyFile) do(w write) error {
	if err := f.d.step("write " + f.name); err != nil {
		return err
	}
	f.f.now = w.apply(f.f.now)
	f.f.writes = append(f.f.writes, w)
	return nil
}
func (f *faultyFile) WriteAt(b []byte, at int64) (int, error) {
	return len(b), f.do(write{at: at, b: slices.Clone(b)})
}
func (f *faultyFile) Truncate(n int64) error { return f.do(write{at: -1, n: n}) }
func (f *faultyFile) Size() (int64, error)   { return int64(len(f.f.now)), nil }
func (f *faultyFile) Close() error           { return nil }
func (f *faultyFile) Sync() error {
	if err := f.d.step("sync " + f.name); err != nil {
		return err
	}
	if f.d.lies != f.name {
		f.f.durable, f.f.writes = slices.Clone(f.f.now), nil
	}
	return nil
}

// scenario puts and syncs leaves until the disk fails, and says which are acknowledged.
func scenario(t *testing.T, s *provider, d *faulty, dir string, leaves [][]byte) (acknowledged int) {
	t.Helper()
	v, err := openOn(d, dir, 0)
	if err != nil {
		return 0
	}
	defer func() { require.NoError(t, v.Close()) }()
	l, err := v.Lane(s.p, s.key, "income", "1", "x")
	if err != nil {
		return 0
	}
	for i := 0; i < len(leaves); i += 2 {
		for j := i; j < min(i+2, len(leaves)); j++ {
			if l.Put(uint32(j), leaves[j]) != nil {
				return acknowledged
			}
		}
		if l.Sync() != nil {
			return acknowledged
		}
		acknowledged = min(i+2, len(leaves))
	}
	return acknowledged
}

// Power fails before every single step, and any part of what was not synced reaches the disk: what was acknowledged
// is there, what is held reads as it entered, and the rest may be put again.
func TestPowerFailsAtEveryStep(t *testing.T) {
	s, r := newProvider(t), rand.New(rand.NewPCG(1, 2))
	var leaves [][]byte
	for b := range uint32(6) {
		leaves = append(leaves, s.leaf(t, "x", b))
	}
	count := &faulty{files: map[string]*cached{}}
	require.Equal(t, len(leaves), scenario(t, s, count, t.TempDir(), leaves))
	require.Greater(t, count.steps, 20)
	for at := 1; at <= count.steps; at++ {
		for trial := range 6 {
			keep := []func(string) bool{
				func(string) bool { return false }, func(string) bool { return true },
				func(n string) bool { return n == "index" }, func(n string) bool { return n == "leaves" },
				func(string) bool { return r.IntN(2) == 0 }, func(string) bool { return r.IntN(2) == 0 },
			}[trial]
			dir := t.TempDir()
			d := &faulty{files: map[string]*cached{}, failAt: at}
			acknowledged := scenario(t, s, d, dir, leaves)
			after := d.crash(keep)
			v, err := openOn(after, dir, 0)
			require.NoError(t, err)
			l, err := v.Lane(s.p, s.key, "income", "1", "x")
			require.NoError(t, err, "step %d, %s", at, d.log[len(d.log)-1])
			for b := range leaves {
				got, err := l.Read(uint32(b), nil)
				if b < acknowledged {
					require.NoError(t, err)
				}
				if err != nil {
					require.ErrorIs(t, err, ErrMissing, "step %d: a leaf is whole or not held", at)
					require.NoError(t, l.Put(uint32(b), leaves[b]))
					continue
				}
				require.Equal(t, leaves[b], got)
			}
			require.NoError(t, l.Sync())
			require.Equal(t, []Range{{0, uint32(len(leaves))}}, l.Held())
			require.NoError(t, v.Close())
		}
	}
}

// The order of the two syncs is what that rests on: on a disk that does not sync leaves, records name leaves that are
// not there. That too is found, and never read as a leaf.
func TestTheOrderOfSyncsMatters(t *testing.T) {
	s := newProvider(t)
	leaves := [][]byte{s.leaf(t, "x", 0), s.leaf(t, "x", 1)}
	d := &faulty{files: map[string]*cached{}}
	require.Equal(t, 2, scenario(t, s, d, t.TempDir(), leaves))
	first := func(what string) int { return slices.Index(d.log, what) }
	last := func(what string) int { return len(d.log) - 1 - slices.Index(reversed(d.log), what) }
	require.Less(t, first("write leaves"), last("sync leaves"))
	require.Less(t, last("sync leaves"), last("write index"))
	require.Less(t, last("write index"), last("sync index"))

	dir := t.TempDir()
	d = &faulty{files: map[string]*cached{}, lies: "leaves"}
	require.Equal(t, 2, scenario(t, s, d, dir, leaves))
	v, err := openOn(d.crash(func(string) bool { return false }), dir, 0)
	require.NoError(t, err)
	_, err = v.Lane(s.p, s.key, "income", "1", "x")
	require.ErrorIs(t, err, ErrDamaged, "cut short")
	require.NoError(t, v.Close())

	n := 0 // the second leaf's bytes alone reach the disk: the first is a hole
	v, err = openOn(d.crash(func(name string) bool { n++; return name == "leaves" && n%2 == 0 }), dir, 0)
	require.NoError(t, err)
	if l, err := v.Lane(s.p, s.key, "income", "1", "x"); err == nil {
		_, err = l.Read(0, nil)
		require.ErrorIs(t, err, ErrDamaged)
	}
	require.NoError(t, v.Close())
}

func reversed(list []string) []string {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

// After a sync that failed nothing put since is held, and the next records stand in the right place.
func TestAFailedSyncHoldsNothing(t *testing.T) {
	s := newProvider(t)
	var leaves [][]byte
	for b := range uint32(3) {
		leaves = append(leaves, s.leaf(t, "x", b))
	}
	for _, what := range []string{"sync leaves", "write index", "sync index"} {
		dir, d := t.TempDir(), &faulty{files: map[string]*cached{}}
		v, err := openOn(d, dir, int64(2*s.p.LeafSize()))
		require.NoError(t, err)
		l := s.lane(t, v)
		require.NoError(t, l.Put(0, leaves[0]))
		d.failAt = d.steps + map[string]int{"sync leaves": 1, "write index": 3, "sync index": 4}[what]
		require.ErrorIs(t, l.Sync(), errPower)
		require.Equal(t, what, d.log[d.failAt-1])
		d.failAt = 0
		require.Empty(t, l.Held())
		require.NoError(t, l.Put(1, leaves[1]), "the room of what is not held was given back")
		require.NoError(t, l.Put(0, leaves[0]))
		require.ErrorIs(t, l.Put(2, leaves[2]), ErrFull)
		require.NoError(t, l.Sync())
		require.NoError(t, v.Close())
		v, err = openOn(d.crash(func(string) bool { return false }), dir, 0)
		require.NoError(t, err)
		require.Equal(t, []Range{{0, 2}}, s.lane(t, v).Held())
		require.NoError(t, v.Close())
	}
}

// A second process, or a second Vault of this one, is kept out until the first is closed or dead.
func TestTwoProcessesDoNotShareAVault(t *testing.T) {
	if dir := os.Getenv("YUMEN_TEST_VAULT"); dir != "" {
		v, err := Open(dir, 0)
		t.Logf("opened: %t busy: %t", err == nil, errors.Is(err, ErrBusy))
		if err == nil {
			require.NoError(t, v.Close())
		}
		return
	}
	dir := t.TempDir()
	child := func() string {
		c := exec.Command(os.Args[0], "-test.run=^TestTwoProcessesDoNotShareAVault$", "-test.v")
		c.Env = append(os.Environ(), "YUMEN_TEST_VAULT="+dir)
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	v, err := Open(dir, 0)
	require.NoError(t, err)
	require.Contains(t, child(), "opened: false busy: true")
	_, err = Open(dir, 0)
	require.ErrorIs(t, err, ErrBusy)
	require.False(t, strings.Contains(err.Error(), dir))
	l := newProvider(t).lane(t, v)
	require.NoError(t, v.Close())
	require.NoError(t, v.Close())
	require.Contains(t, child(), "opened: true")
	require.ErrorIs(t, l.Put(0, newProvider(t).leaf(t, "x", 0)), ErrClosed)
	_, err = v.Lane(newProvider(t).p, [32]byte{7}, "income", "1", "x")
	require.ErrorIs(t, err, ErrClosed)
}

// However many lanes are begun, no descriptors stay open.
func TestLanesTakeNoDescriptors(t *testing.T) {
	s := newProvider(t)
	v := open(t, t.TempDir(), 0)
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no list of descriptors here")
		}
		return len(list)
	}
	before := count()
	for i := range 50 {
		l, err := v.Lane(s.p, s.key, "income", "1", fmt.Sprint(i))
		require.NoError(t, err)
		require.NoError(t, l.Put(0, s.leaf(t, fmt.Sprint(i), 0)))
		require.NoError(t, l.Sync())
	}
	require.LessOrEqual(t, count(), before+2)
}
