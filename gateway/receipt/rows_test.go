package receipt

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	tjsm3 "github.com/tjfoc/gmsm/sm3"
	"github.com/transparency-dev/merkle/compact"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/gateway/audit"
)

func second(b []byte) audit.Hash { return audit.Hash(tjsm3.Sm3Sum(b)) }

func be(n uint64, size int) []byte {
	return binary.BigEndian.AppendUint64(nil, n)[8-size:]
}

func TestCommitLayout(t *testing.T) {
	nonce := Nonce{1, 2, 3}
	value := []byte(`{"answer":"yes"}`)
	in := slices.Concat([]byte{2}, be(7, 4), []byte("request"), nonce[:], be(uint64(len(value)), 8), value)
	require.Equal(t, second(in), Commit(TagRequest, &nonce, value))

	request := []byte(`"r"`)
	in = slices.Concat([]byte("\x00row"), nonce[:], be(5, 8), be(3, 4), request, be(uint64(len(value)), 4), value)
	require.Equal(t, second(in), CommitRow(&nonce, 5, request, value))

	text := canonical(t, sample())
	require.Equal(t, second(append([]byte("yumen/statement/v1\n"), text...)), StatementHash(text))
}

func TestCommitBindsEachPart(t *testing.T) {
	nonce, other := Nonce{1}, Nonce{2}
	base := Commit("a", &nonce, []byte("bc"))
	for _, h := range []audit.Hash{
		Commit("ab", &nonce, []byte("c")), Commit("", &nonce, []byte("abc")), Commit("a", &other, []byte("bc")),
		Commit("a", &nonce, []byte("b")), Commit("a", &nonce, nil),
	} {
		require.NotEqual(t, base, h)
	}
	row := CommitRow(&nonce, 1, []byte("ab"), []byte("c"))
	for _, h := range []audit.Hash{
		CommitRow(&nonce, 2, []byte("ab"), []byte("c")), CommitRow(&nonce, 1, []byte("a"), []byte("bc")),
		CommitRow(&other, 1, []byte("ab"), []byte("c")), CommitRow(&nonce, 1, []byte("c"), []byte("ab")),
	} {
		require.NotEqual(t, row, h)
	}
}

func TestCommitDoesNotAllocate(t *testing.T) {
	nonce, value := Nonce{9}, make([]byte, 300)
	require.Zero(t, testing.AllocsPerRun(100, func() { Commit(TagResult, &nonce, value) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { CommitRow(&nonce, 3, value, value) }))
}

func TestRowNonces(t *testing.T) {
	seed := Seed{7}
	var stream nonceStream
	seen := map[Nonce]bool{seed.RequestNonce(): true}
	for i := range uint64(3*nonceGroup + 5) {
		nonce := seed.RowNonce(i)
		require.Equal(t, nonce, *stream.next(&seed, i))
		in := slices.Concat([]byte("yumen/row-nonce"), seed[:], be(i/64, 4), be(i%64+1, 4))
		require.Equal(t, second(in), audit.Hash(nonce))
		require.False(t, seen[nonce])
		seen[nonce] = true
	}
	in := slices.Concat([]byte("yumen/req-nonce"), seed[:], be(0, 4), be(1, 4))
	require.Equal(t, second(in), audit.Hash(seed.RequestNonce()))
}

func TestSecretsDoNotPrint(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil))
	nonce, seed := Nonce{0xAB, 0xCD}, Seed{0xAB, 0xCD}
	log.Info("x", "n", nonce, "s", seed, "o", Opening{Nonce: nonce})
	fmt.Fprintf(&out, "%v %x %d %s %#v %+v", nonce, seed, nonce, seed, nonce, Opening{Nonce: nonce})
	for _, leak := range []string{"171", "abcd", "ABCD", "0xab", "q80"} {
		require.NotContains(t, out.String(), leak)
	}
}

// referenceRoot is the root by transparency-dev/merkle.
func referenceRoot(t require.TestingT, leaves []audit.Hash) audit.Hash {
	factory := &compact.RangeFactory{Hash: func(l, r []byte) []byte {
		h := second(slices.Concat([]byte{1}, l, r))
		return h[:]
	}}
	rng := factory.NewEmptyRange(0)
	for _, leaf := range leaves {
		require.NoError(t, rng.Append(leaf[:], nil))
	}
	root, err := rng.GetRootHash(nil)
	require.NoError(t, err)
	return audit.Hash(root)
}

func TestTreeEqualsReference(t *testing.T) {
	seed := Seed{3}
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65, 100, 129} {
		c := NewRowCommitments(&seed, n)
		for i := range n {
			c.Add(fmt.Append(nil, i), []byte(`"yes"`))
		}
		require.Equal(t, n, c.Len())
		require.Equal(t, referenceRoot(t, c.leaves), c.Root())
		for i := range n {
			nonce, path, err := c.Open(i)
			require.NoError(t, err)
			leaf := CommitRow(&nonce, uint64(i), fmt.Append(nil, i), []byte(`"yes"`))
			root, ok := rootFromPath(leaf, uint64(i), uint64(n), path)
			require.True(t, ok && root == c.Root(), "row %d of %d", i, n)
			other, ok := rootFromPath(leaf, uint64((i+1)%n), uint64(n), path)
			require.True(t, n == 1 || !ok || other != c.Root())
			if len(path) > 0 {
				_, ok = rootFromPath(leaf, uint64(i), uint64(n), path[1:])
				require.False(t, ok)
			}
			_, ok = rootFromPath(leaf, uint64(i), uint64(n), append(path, audit.Hash{}))
			require.False(t, ok)
		}
		_, _, err := c.Open(n)
		require.ErrorIs(t, err, ErrRows)
		_, _, err = c.Open(-1)
		require.ErrorIs(t, err, ErrRows)
	}
}

func TestPathProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "rows")
		leaves := make([]audit.Hash, n)
		for i := range leaves {
			leaves[i] = audit.HashOf(be(uint64(i), 8))
		}
		i := rapid.IntRange(0, n-1).Draw(t, "index")
		root, ok := rootFromPath(leaves[i], uint64(i), uint64(n), merklePath(leaves, i, nil))
		require.True(t, ok)
		require.Equal(t, merkleRoot(leaves), root)
	})
	require.Equal(t, audit.Hash{}, (&frontier{}).root())
}

func BenchmarkRowCommitments(b *testing.B) {
	seed := Seed{5}
	request, result := []byte(`{"id":"220102199001011234"}`), []byte(`{"answer":"yes"}`)
	c := NewRowCommitments(&seed, b.N)
	b.ReportAllocs()
	for range b.N {
		c.Add(request, result)
	}
	c.Root()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkCommit(b *testing.B) {
	nonce, value := Nonce{9}, []byte(`{"answer":"yes","as_of":"2026-11-01"}`)
	b.ReportAllocs()
	for b.Loop() {
		Commit(TagResult, &nonce, value)
	}
}
