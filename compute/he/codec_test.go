package he_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

func TestLeafIsRefusedAtEveryLength(t *testing.T) {
	w := smallWorld(t, 1, false)
	good := w.leaf(t, 3, []int64{1, -2, 3}).Bytes()
	require.Len(t, good, w.params.LeafSize())
	for n := range good {
		_, err := he.ParseLeaf(w.params, good[:n:n])
		require.ErrorIs(t, err, he.ErrMalformed, "%d bytes", n)
	}
	for n := 1; n < 20; n++ {
		_, err := he.ParseLeaf(w.params, append(bytes.Clone(good), make([]byte, n)...))
		require.ErrorIs(t, err, he.ErrMalformed)
	}
	_, err := he.ParseLeaf(w.params, nil)
	require.ErrorIs(t, err, he.ErrMalformed)
}

// Every single bit of the header turned is refused where the place is known, and
// every bit of frame and header changes the hash.
func TestLeafIsRefusedAtEveryHeaderBit(t *testing.T) {
	w := smallWorld(t, 1, false)
	want := w.header(3, 3)
	good := w.leaf(t, 3, []int64{1, -2, 3})
	const header = 4 + 2 + 32 + 32 + 32 + 4 + 4
	for bit := range header * 8 {
		bad := bytes.Clone(good.Bytes())
		bad[bit/8] ^= 1 << (bit % 8)
		_, err := he.ParseLeafAs(w.params, want, bad)
		require.Error(t, err, "bit %d", bit)
		require.NotEqual(t, good.Hash(), he.LeafHash(bad))
	}
}

// Every bit of the body turned is refused or is another leaf under another hash
// with the same canonical bytes.
func TestLeafBodyBits(t *testing.T) {
	w := smallWorld(t, 1, false)
	good := w.leaf(t, 3, []int64{1, -2, 3})
	refused := 0
	for bit := 110 * 8; bit < len(good.Bytes())*8; bit++ {
		bad := bytes.Clone(good.Bytes())
		bad[bit/8] ^= 1 << (bit % 8)
		l, err := he.ParseLeaf(w.params, bad)
		if err != nil {
			require.ErrorIs(t, err, he.ErrMalformed)
			refused++
			continue
		}
		require.NotEqual(t, good.Hash(), l.Hash())
	}
	require.Less(t, refused, 64, "the primes fill their bits: hardly any bit leaves the range")
}

// A residue equal to its prime, at each place in turn.
func TestResidueEqualToPrimeIsRefused(t *testing.T) {
	w := smallWorld(t, 1, false)
	p := w.params
	size := []int{53, 52}
	start := 110
	for poly := range 4 {
		for i, q := range p.Q() {
			for _, j := range []int{0, 6, 7, p.N() - 1} {
				bad := bytes.Clone(w.leaf(t, 0, nil).Bytes())
				for b := range size[i] {
					at := j*size[i] + b
					bad[start+at/8] &^= 1 << (at % 8)
					bad[start+at/8] |= byte(q>>b&1) << (at % 8)
				}
				_, err := he.ParseLeaf(p, bad)
				require.ErrorIs(t, err, he.ErrMalformed, "polynomial %d, prime %d, coefficient %d", poly, i, j)
				_, err = he.ReadVerifiedLeaf(p, bad)
				require.NoError(t, err, "not looked at in a copy verified before")
			}
			start += p.N() / 8 * size[i]
		}
	}
}

func TestLeafOfOtherParametersOrKeyIsRefused(t *testing.T) {
	w := smallWorld(t, 1, false)
	otherParams, err := he.InsecureTestParameters(7, false)
	require.NoError(t, err)
	other := newWorld(t, otherParams, 1)
	leaf := w.leaf(t, 0, []int64{1})
	_, err = he.ParseLeaf(otherParams, leaf.Bytes())
	require.Error(t, err)
	require.ErrorIs(t, he.NewAccumulator(otherParams, w.key).Add(leaf), he.ErrMismatch)
	require.ErrorIs(t, he.NewAccumulator(w.params, [32]byte{99}).Add(leaf), he.ErrMismatch)
	require.ErrorIs(t, he.NewAccumulator(w.params, w.key).Add(leaf, nil), he.ErrMismatch)
	require.ErrorIs(t, he.NewAccumulator(w.params, w.key).Add(new(he.Leaf)), he.ErrMismatch)
	require.ErrorIs(t, he.NewAccumulator(w.params, w.key).AddWeighted(leaf, he.MaxWeight+1), he.ErrRange)
	require.ErrorIs(t, he.NewAccumulator(w.params, w.key).Merge(he.NewAccumulator(otherParams, w.key)), he.ErrMismatch)
	require.ErrorIs(t, he.NewAccumulator(w.params, w.key).Merge(nil), he.ErrMismatch)
	require.ErrorIs(t, he.NewAccumulator(w.params, w.key).Repeat(0), he.ErrRange)
	_, err = new(he.Leaf).Limb(0)
	require.ErrorIs(t, err, he.ErrRange)
	_, err = he.NewEncryptor(otherParams, w.public, bytes.NewReader(make([]byte, 48)))
	require.ErrorIs(t, err, he.ErrMismatch)
	_, err = he.NewProduct(w.params, w.key, &he.RelinKey{})
	require.ErrorIs(t, err, he.ErrMismatch)
	_, err = he.Extract(otherParams, []he.Term{{Sum: he.NewAccumulator(w.params, w.key).Sum(), Mask: otherParams.AllMask()}})
	require.ErrorIs(t, err, he.ErrMismatch)
	_, err = he.Extract(w.params, nil)
	require.ErrorIs(t, err, he.ErrRange)
	_ = other
}

func TestEncryptRefusesWhatDoesNotFit(t *testing.T) {
	w := smallWorld(t, 1, false)
	n := w.params.N()
	for name, c := range map[string]struct {
		rows   int
		values []int64
		bound  int64
	}{
		"no rows":              {0, nil, 10},
		"more rows than fit":   {n + 1, nil, 10},
		"more values":          {n, make([]int64, n+1), 10},
		"values beyond rows":   {2, make([]int64, 3), 10},
		"above the bound":      {2, []int64{0, 11}, 10},
		"below the bound":      {2, []int64{-11}, 10},
		"the least integer":    {2, []int64{-1 << 63}, he.MaxValue},
		"a bound too large":    {2, []int64{1}, he.MaxValue + 1},
		"a bound below naught": {2, nil, -1},
	} {
		_, err := w.enc.Encrypt(nil, w.header(0, c.rows), c.values, c.bound)
		require.ErrorIs(t, err, he.ErrRange, name)
	}
}

func TestKeysAreRefusedAtEveryLength(t *testing.T) {
	w := smallWorld(t, 1, true)
	public, err := w.public.Bytes(w.params)
	require.NoError(t, err)
	for n := range public {
		_, err := he.ParsePublicKey(w.params, public[:n:n])
		require.Error(t, err)
	}
	relin, err := w.secret.relinKey(t).Bytes(w.params)
	require.NoError(t, err)
	require.Len(t, relin, w.params.RelinKeySize())
	for n := range relin {
		_, err := he.ParseRelinKey(w.params, relin[:n:n])
		require.Error(t, err)
	}
	for bit := range 38 * 8 {
		bad := bytes.Clone(public)
		bad[bit/8] ^= 1 << (bit % 8)
		_, err := he.ParsePublicKey(w.params, bad)
		require.Error(t, err)
		bad = bytes.Clone(relin)
		bad[bit/8] ^= 1 << (bit % 8)
		_, err = he.ParseRelinKey(w.params, bad)
		require.Error(t, err)
	}
	adds, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	_, err = he.ParseRelinKey(adds, relin)
	require.ErrorIs(t, err, he.ErrMismatch)
}

func TestOpeningIsStrict(t *testing.T) {
	a, b := smallWorld(t, 1, false), smallWorld(t, 2, false)
	p := a.params
	var terms []he.Term
	for _, w := range []*world{a, b} {
		acc := he.NewAccumulator(p, w.key)
		require.NoError(t, acc.Add(w.leaf(t, 0, []int64{5})))
		terms = append(terms, he.Term{Sum: acc.Sum(), Mask: p.AllMask()})
	}
	openings, err := he.Extract(p, terms)
	require.NoError(t, err)
	for _, o := range openings {
		require.Len(t, o.Keys, 2)
		good, err := o.Bytes(p)
		require.NoError(t, err)
		back, err := he.ParseOpening(p, good)
		require.NoError(t, err)
		require.Equal(t, o, back)
		for n := range good {
			_, err := he.ParseOpening(p, good[:n:n])
			require.Error(t, err)
		}
		_, err = he.ParseOpening(p, append(bytes.Clone(good), 0))
		require.ErrorIs(t, err, he.ErrMalformed)
		for bit := range (38 + 3) * 8 { // frame, limb, number of keys
			bad := bytes.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			other, err := he.ParseOpening(p, bad)
			if bit/8 == 38 && err == nil { // another limb is another opening
				require.NotEqual(t, o.Limb, other.Limb)
				continue
			}
			require.Error(t, err, "bit %d", bit)
		}
		// Keys in falling order.
		o.Keys[0], o.Keys[1] = o.Keys[1], o.Keys[0]
		_, err = o.Hash(p)
		require.ErrorIs(t, err, he.ErrMalformed)
	}
	_, err = (*he.Opening)(nil).Bytes(p)
	require.ErrorIs(t, err, he.ErrMismatch)
}
