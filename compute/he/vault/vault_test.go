package vault

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// provider makes leaves of one lane under a key of its own.
type provider struct {
	p   *he.Parameters
	key [32]byte
	enc *he.Encryptor
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	a, err := p.Expand([32]byte{1}, "a")
	require.NoError(t, err)
	b, err := p.Expand([32]byte{2}, "b")
	require.NoError(t, err)
	enc, err := he.NewEncryptor(p, &he.PublicKey{A: a, B: b}, rand.Reader)
	require.NoError(t, err)
	return &provider{p, [32]byte{7}, enc}
}

func (s *provider) leaf(t testing.TB, lane string, batch uint32) []byte {
	t.Helper()
	l, err := s.enc.Encrypt(nil, he.Header{Key: s.key, Lane: he.LaneID("income", "1", lane), Batch: batch, Rows: 3}, []int64{1, 2, 3}, 10)
	require.NoError(t, err)
	return bytes.Clone(l.Bytes())
}

func open(t testing.TB, dir string, max int64) *Vault {
	t.Helper()
	v, err := Open(dir, max)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

func (s *provider) lane(t testing.TB, v *Vault) *Lane {
	t.Helper()
	l, err := v.Lane(s.p, s.key, "income", "1", "x")
	require.NoError(t, err)
	return l
}

func TestLeavesOutliveTheProcess(t *testing.T) {
	s, dir := newProvider(t), t.TempDir()
	v := open(t, dir, 0)
	l := s.lane(t, v)
	leaves := map[uint32][]byte{}
	for _, batch := range []uint32{2, 0, 1, 5} {
		leaves[batch] = s.leaf(t, "x", batch)
		require.NoError(t, l.Put(batch, leaves[batch]))
		require.NoError(t, l.Put(batch, leaves[batch]), "the same leaf twice is one")
	}
	require.Empty(t, l.Held(), "nothing is held before it is durable")
	_, err := l.Read(0, nil)
	require.ErrorIs(t, err, ErrMissing)
	require.NoError(t, l.Sync())
	require.NoError(t, l.Sync())
	require.NoError(t, v.Close())

	l = s.lane(t, open(t, dir, 0))
	require.Equal(t, []Range{{0, 3}, {5, 1}}, l.Held())
	for batch, want := range leaves {
		got, err := l.Read(batch, make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, want, got)
		hash, err := l.Hash(batch)
		require.NoError(t, err)
		require.Equal(t, he.LeafHash(want), hash)
	}
	_, err = l.Read(3, nil)
	require.ErrorIs(t, err, ErrMissing)
}

func TestWhatIsNotSyncedIsAskedForAgain(t *testing.T) {
	s, dir := newProvider(t), t.TempDir()
	v := open(t, dir, 0)
	l := s.lane(t, v)
	require.NoError(t, l.Put(0, s.leaf(t, "x", 0)))
	require.NoError(t, l.Sync())
	require.NoError(t, l.Put(1, s.leaf(t, "x", 1)))
	require.NoError(t, v.Close())
	l = s.lane(t, open(t, dir, 0))
	require.Equal(t, []Range{{0, 1}}, l.Held())
	require.NoError(t, l.Put(1, s.leaf(t, "x", 1)), "another leaf may take the place")
	require.NoError(t, l.Sync())
}

func TestAPlaceTakesOneLeafOnly(t *testing.T) {
	s := newProvider(t)
	v := open(t, t.TempDir(), int64(2*s.p.LeafSize()))
	l := s.lane(t, v)
	good := s.leaf(t, "x", 0)
	require.NoError(t, l.Put(0, good))
	require.ErrorIs(t, l.Put(0, s.leaf(t, "x", 0)), ErrTaken)
	require.NoError(t, l.Sync())
	require.ErrorIs(t, l.Put(0, s.leaf(t, "x", 0)), ErrTaken)

	require.ErrorIs(t, l.Put(1, good), he.ErrMismatch, "batch")
	require.ErrorIs(t, l.Put(1, s.leaf(t, "y", 1)), he.ErrMismatch, "lane")
	other := newProvider(t)
	other.key = [32]byte{8}
	require.ErrorIs(t, l.Put(1, other.leaf(t, "x", 1)), he.ErrMismatch, "key")
	for _, n := range []int{0, 1, len(good) - 1} {
		require.ErrorIs(t, l.Put(1, good[:n]), he.ErrMalformed)
	}
	bent := s.leaf(t, "x", 1)
	copy(bent[len(bent)-64:], bytes.Repeat([]byte{0xff}, 64))
	require.ErrorIs(t, l.Put(1, bent), he.ErrMalformed)
	require.ErrorIs(t, l.Put(maxBatches, good), ErrFull)

	require.NoError(t, l.Put(1, s.leaf(t, "x", 1)))
	require.ErrorIs(t, l.Put(2, s.leaf(t, "x", 2)), ErrFull)
	_, err := v.Lane(s.p, [32]byte{9}, "income", "1", "x")
	require.ErrorIs(t, err, ErrTaken)
}

func files(t testing.TB, dir string) (leaves, index string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "index"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return filepath.Join(filepath.Dir(found[0]), "leaves"), found[0]
}

// Cut anywhere, the index gives a prefix of what it held, or says that it is damaged; never another leaf.
func TestATornIndexLosesItsTailOnly(t *testing.T) {
	s, dir := newProvider(t), t.TempDir()
	v := open(t, dir, 0)
	l := s.lane(t, v)
	for batch := range uint32(3) {
		require.NoError(t, l.Put(batch, s.leaf(t, "x", batch)))
		require.NoError(t, l.Sync())
	}
	require.NoError(t, v.Close())
	_, index := files(t, dir)
	whole, err := os.ReadFile(index)
	require.NoError(t, err)
	for n := range len(whole) {
		require.NoError(t, os.WriteFile(index, whole[:n], 0o600))
		w, err := Open(dir, 0)
		require.NoError(t, err)
		l, err := w.Lane(s.p, s.key, "income", "1", "x")
		require.NoError(t, err, "cut at %d", n)
		want := max(0, (n-headSize)/recordSize)
		held := uint32(0)
		for _, r := range l.Held() {
			held += r.Count
		}
		require.EqualValues(t, want, held)
		require.NoError(t, w.Close())
	}
	for i := range whole {
		bent := bytes.Clone(whole)
		bent[i] ^= 4
		require.NoError(t, os.WriteFile(index, bent, 0o600))
		w, err := Open(dir, 0)
		require.NoError(t, err)
		if l, err := w.Lane(s.p, s.key, "income", "1", "x"); err == nil {
			for _, r := range l.Held() {
				for b := r.First; b < r.First+r.Count; b++ {
					_, err := l.Read(b, nil)
					require.NoError(t, err, "byte %d", i)
				}
			}
			require.GreaterOrEqual(t, i, headSize)
		}
		require.NoError(t, w.Close())
	}
}

func TestDamageIsFound(t *testing.T) {
	s, dir := newProvider(t), t.TempDir()
	v := open(t, dir, 0)
	l := s.lane(t, v)
	require.NoError(t, l.Put(0, s.leaf(t, "x", 0)))
	require.NoError(t, l.Sync())
	leaves, _ := files(t, dir)
	b, err := os.ReadFile(leaves)
	require.NoError(t, err)
	b[len(b)/2] ^= 1
	require.NoError(t, os.WriteFile(leaves, b, 0o600))
	_, err = l.Read(0, nil)
	require.ErrorIs(t, err, ErrDamaged)
	_, err = l.ReadUnchecked(0, nil)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(leaves, 5))
	_, err = l.Read(0, nil)
	require.ErrorIs(t, err, ErrDamaged)
	require.NoError(t, v.Close())
	_, err = open(t, dir, 0).Lane(s.p, s.key, "income", "1", "x")
	require.ErrorIs(t, err, ErrDamaged)
	require.False(t, strings.Contains(err.Error(), dir), "an error names no path")
}

func TestAnUnusableDirectoryIsSaidWithoutItsPath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(filepath.Join(file, "vault"), 0)
	require.Error(t, err)
	require.NotContains(t, err.Error(), file)
}
