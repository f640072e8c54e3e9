package audit

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"pgregory.net/rapid"
)

func leaf(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }

// Every proof in every tree up to 300 leaves, across the first tile's border,
// is the one RFC 6962 defines, and transparency-dev/merkle accepts it.
func TestInclusionProofsAreThoseOfRFC6962(t *testing.T) {
	tr := newTree()
	var leaves [][]byte
	for n := 1; n <= 300; n++ {
		leaves = append(leaves, leaf(n-1))
		tr.append([]Hash{LeafHash(leaf(n - 1))})
		root, err := tr.rootAt(uint64(n))
		require.NoError(t, err)
		if n > 40 && n%17 != 0 && n < 254 {
			continue
		}
		require.Equal(t, naiveRoot(leaves), root)
		b, err := tr.borderOf(uint64(n))
		require.NoError(t, err)
		for i := range n {
			path, err := tr.prove(nil, uint64(i), b)
			require.NoError(t, err)
			if n <= 40 || i%23 == 0 {
				require.Equal(t, naivePath(i, leaves), path, "leaf %d of %d", i, n)
			}
			h := LeafHash(leaf(i))
			require.NoError(t, proof.VerifyInclusion(hasher{}, uint64(i), uint64(n), h[:], asSlices(path), root[:]))
		}
	}
}

// Three levels of tiles: roots and proofs agree with the compact ranges of
// transparency-dev/merkle, also for earlier sizes.
func TestLargeTreeAgreesWithCompactRanges(t *testing.T) {
	const n = 70_000
	tr := newTree()
	factory := &compact.RangeFactory{Hash: hasher{}.HashChildren}
	r := factory.NewEmptyRange(0)
	roots := map[uint64][]byte{}
	for i := range n {
		h := LeafHash(leaf(i))
		tr.append([]Hash{h})
		require.NoError(t, r.Append(h[:], nil))
		if size := uint64(i + 1); size%9973 == 0 || size == 65536 || size == 65537 || size == n {
			root, err := r.GetRootHash(nil)
			require.NoError(t, err)
			roots[size] = root
		}
	}
	for size, want := range roots {
		root, err := tr.rootAt(size)
		require.NoError(t, err)
		require.Equal(t, want, root[:])
		b, err := tr.borderOf(size)
		require.NoError(t, err)
		for i := uint64(0); i < size; i += 997 {
			path, err := tr.prove(nil, i, b)
			require.NoError(t, err)
			h := LeafHash(leaf(int(i)))
			require.NoError(t, proof.VerifyInclusion(hasher{}, i, size, h[:], asSlices(path), root[:]))
		}
	}
}

// A changed, missing, additional or moved hash makes a proof fail.
func TestWrongProofsAreRefused(t *testing.T) {
	tr := newTree()
	entries := make([][]byte, 100)
	for i := range entries {
		entries[i] = Entry{Kind: Release, Time: int64(i)}.AppendTo(nil)
		tr.append([]Hash{LeafHash(entries[i])})
	}
	root, err := tr.rootAt(100)
	require.NoError(t, err)
	cp := &Checkpoint{Size: 100, Root: root}
	b, err := tr.borderOf(100)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.Uint64Range(0, 99).Draw(t, "index")
		path, err := tr.prove(nil, i, b)
		require.NoError(t, err)
		require.NoError(t, VerifyInclusion(entries[i], i, path, cp))
		at := rapid.IntRange(0, len(path)-1).Draw(t, "at")
		bad := append([]Hash(nil), path...)
		bad[at][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		require.ErrorIs(t, VerifyInclusion(entries[i], i, bad, cp), ErrProof)
		require.ErrorIs(t, VerifyInclusion(entries[i], i, path[:len(path)-1], cp), ErrProof)
		require.ErrorIs(t, VerifyInclusion(entries[i], i, append(path, Hash{}), cp), ErrProof)
		require.ErrorIs(t, VerifyInclusion(entries[i], (i+1)%100, path, cp), ErrProof)
		require.ErrorIs(t, VerifyInclusion(entries[(i+1)%100], i, path, cp), ErrProof)
		require.ErrorIs(t, VerifyInclusion(entries[i], 100+i, path, cp), ErrProof)
	})
	require.ErrorIs(t, VerifyInclusion(entries[0], 0, make([]Hash, 1000), cp), ErrProof)
	require.ErrorIs(t, VerifyInclusion(entries[0], 0, nil, nil), ErrProof)
}

// Small trees against the definition written out, SM3 against the standard's
// sample and the digest of nothing, so that a change of hash, prefix or order
// shows.
func TestKnownRoots(t *testing.T) {
	require.Equal(t, "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b", emptyRoot().String())
	tr := newTree()
	var leaves [][]byte
	for i := range 9 {
		leaves = append(leaves, leaf(i))
		tr.append([]Hash{LeafHash(leaf(i))})
		root, err := tr.rootAt(uint64(i + 1))
		require.NoError(t, err)
		require.Equal(t, naiveRoot(leaves), root)
	}
	abc := HashOf([]byte("abc")) // GB/T 32905-2016, A.1
	require.Equal(t, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", hex.EncodeToString(abc[:]))
}

func TestConsistencyProofs(t *testing.T) {
	o := memOptions(newMemStore())
	l := mustOpen(t, o)
	var cps []*Checkpoint
	cps = append(cps, l.Latest())
	for i := range 70 {
		cps = append(cps, fill(t, l, i, i+1)[0].Checkpoint)
		for from, older := range cps {
			path, newer, err := l.ProveConsistency(t.Context(), uint64(from))
			require.NoError(t, err)
			require.NoError(t, VerifyConsistency(older, newer, path))
			if from > 0 && len(path) > 0 {
				bad := append([]Hash(nil), path...)
				bad[len(bad)/2][3] ^= 4
				require.ErrorIs(t, VerifyConsistency(older, newer, bad), ErrProof)
				other := *older
				other.Root[0] ^= 1
				require.ErrorIs(t, VerifyConsistency(&other, newer, path), ErrProof)
			}
		}
	}
	require.ErrorIs(t, VerifyConsistency(cps[5], cps[4], nil), ErrProof)
	require.ErrorIs(t, VerifyConsistency(nil, cps[4], nil), ErrProof)
	forged := *cps[0]
	forged.Root[0] ^= 1
	require.ErrorIs(t, VerifyConsistency(&forged, cps[4], nil), ErrProof)
	_, _, err := l.ProveConsistency(t.Context(), 71)
	require.ErrorIs(t, err, ErrNoEntry)
	require.NoError(t, l.Close())
}
