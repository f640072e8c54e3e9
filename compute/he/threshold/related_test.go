package threshold_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// masksOf takes the known inner products away from a holder's answer: the masks
// of its components, as whole numbers.
func masksOf(t *testing.T, holder int, o *he.Opening, sets ...*keySet) []*big.Int {
	t.Helper()
	p := sets[0].params
	shares := make([]*threshold.Share, 0, len(sets))
	byKey := map[[32]byte]*keySet{}
	for _, k := range sets {
		shares = append(shares, k.shares[holder])
		byKey[k.hash] = k
	}
	answers, err := threshold.Open(shares, []*he.Opening{o})
	require.NoError(t, err)
	var masks []*big.Int
	for _, part := range answers[0].Parts {
		x, modulus := new(big.Int), big.NewInt(1)
		for i, q := range p.Q() {
			v := part.Value[i]
			for k, key := range o.Keys {
				sigma, err := threshold.SecretForTest(p, byKey[key].seeds[part.Component])
				require.NoError(t, err)
				v = (v + q - threshold.InnerForTest(o.A[k].Coeffs[i], sigma, q)) % q
			}
			prime := new(big.Int).SetUint64(q)
			step := new(big.Int).Sub(new(big.Int).SetUint64(v), x)
			step.Mul(step, new(big.Int).ModInverse(modulus, prime)).Mod(step, prime)
			x.Add(x, step.Mul(step, modulus))
			modulus.Mul(modulus, prime)
		}
		if new(big.Int).Lsh(x, 1).Cmp(modulus) > 0 {
			x.Sub(x, modulus)
		}
		masks = append(masks, x)
	}
	return masks
}

// Openings whose samples are related have unrelated masks: twice a sum, the groups
// of a lane and their total, one sum alone and beside another key's, one key's sample
// of zero beside it. Their combinations that cancel the samples leave masks of full
// length behind, in every component.
func TestMasksOfRelatedOpeningsAreUnrelated(t *testing.T) {
	p := addParams(t)
	a, b := newKeySet(t, p, 3, 2, 1), newKeySet(t, p, 3, 2, 2)
	sum, other := a.encrypted(t, []int64{1, 2, 3, 4}), b.encrypted(t, []int64{5})
	nothing := &he.Sum{Key: b.hash}
	for range p.T() {
		nothing.Limbs = append(nothing.Limbs, he.Ciphertext{C0: p.RingQ().NewPoly(), C1: p.RingQ().NewPoly()})
	}
	twice := p.AllMask()
	for j := range twice {
		twice[j] = 2
	}
	open := func(terms ...he.Term) *he.Opening { return extract(t, p, terms...)[0] }
	whole, wholeB := he.Term{Sum: sum, Mask: p.AllMask()}, he.Term{Sum: other, Mask: p.AllMask()}
	total := masksOf(t, 1, open(whole), a)
	alone := masksOf(t, 1, open(wholeB), b)
	long := new(big.Int).Lsh(big.NewInt(1), 66-20)
	check := func(name string, of []*big.Int, minus func(c int) *big.Int) {
		for c, m := range of {
			rest := new(big.Int).Sub(m, minus(c))
			require.Positive(t, rest.CmpAbs(long), "%s, component %d", name, c)
		}
	}
	check("twice", masksOf(t, 1, open(he.Term{Sum: sum, Mask: twice}), a), func(c int) *big.Int { return new(big.Int).Lsh(total[c], 1) })
	even := masksOf(t, 1, open(he.Term{Sum: sum, Mask: p.GroupMask(2, 0)}), a)
	odd := masksOf(t, 1, open(he.Term{Sum: sum, Mask: p.GroupMask(2, 1)}), a)
	check("groups", total, func(c int) *big.Int { return new(big.Int).Add(even[c], odd[c]) })
	check("both keys", masksOf(t, 1, open(whole, wholeB), a, b), func(c int) *big.Int { return new(big.Int).Add(total[c], alone[c]) })
	check("beside nothing", masksOf(t, 1, open(whole, he.Term{Sum: nothing, Mask: p.AllMask()}), a, b), func(c int) *big.Int { return total[c] })
	require.NotEqual(t, total[0], total[1], "components have keys of their own")

	// The same sample with another constant part is the same answer: the
	// difference of the two phases is that of the public parts.
	o := open(whole)
	moved := *o
	moved.B = []uint64{1, 2}
	first, err := a.shares[1].Open([]*he.Opening{o})
	require.NoError(t, err)
	second, err := a.shares[1].Open([]*he.Opening{&moved})
	require.NoError(t, err)
	require.Equal(t, first, second)
}

// With exactly t answers every component but the common one is known to one
// speaker alone: it can shift the result, and nothing shows. One more answer, and
// the same lie is found. Forgers says which of the two it is.
func TestForgersSaysHowManyCanShiftAResult(t *testing.T) {
	p := addParams(t)
	k := newKeySet(t, p, 3, 2, 1)
	openings := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{500}), Mask: p.AllMask()})
	lie := func(holders ...int) map[int][]threshold.Answer {
		answers := answersOf(t, k, openings, holders...)
		for limb, prime := range p.T() {
			part := &answers[1][limb].Parts[0] // component 1, known to 1 and 3
			require.Equal(t, []int{1, 3}, k.sharing.Members(part.Component))
			inverse := new(big.Int).ModInverse(new(big.Int).SetUint64(prime), p.BigQ())
			inverse.Mul(inverse, big.NewInt(7))
			for i, q := range p.Q() {
				step := new(big.Int).Mod(inverse, new(big.Int).SetUint64(q)).Uint64()
				part.Value[i] = (part.Value[i] + step) % q
			}
		}
		return answers
	}
	require.Equal(t, 1, k.sharing.Forgers([]int{1, 2}))
	got, err := threshold.Combine(p, k.sharing, openings, lie(1, 2), []*big.Int{big.NewInt(1000)})
	require.NoError(t, err)
	require.Equal(t, ints(507), texts(got), "two answers only: the lie stands")
	require.Equal(t, 2, k.sharing.Forgers([]int{1, 2, 3}))
	_, err = threshold.Combine(p, k.sharing, openings, lie(1, 2, 3), []*big.Int{big.NewInt(1000)})
	var e *threshold.DisagreementError
	require.ErrorAs(t, err, &e)

	for n := 2; n <= threshold.MaxHolders; n++ {
		for th := 2; th <= n; th++ {
			s, err := threshold.NewSharing(n, th)
			require.NoError(t, err)
			var holders []int
			for h := 1; h <= n; h++ {
				holders = append(holders, h, h)
				require.Equal(t, max(0, h-th+1), s.Forgers(holders), "%d of %d, %d answer", th, n, h)
			}
			require.Zero(t, s.Forgers([]int{0, n + 1}))
		}
	}
}

func TestCompareTakesAnyLists(t *testing.T) {
	p := smallParams(t)
	k := newKeySet(t, p, 3, 2, 1)
	conflicts, odd := threshold.Compare(k.sharing, nil)
	require.True(t, conflicts.Empty())
	require.Empty(t, odd)
	openings := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{5}), Mask: p.AllMask()})
	answers := answersOf(t, k, openings, 1, 2, 3)
	answers[2] = answers[2][:1]
	conflicts, _ = threshold.Compare(k.sharing, answers)
	require.True(t, conflicts.Empty())
}

// An opening over several key sets is masked by all of them: whoever knows the
// seeds of all but one knows nothing of its masks.
func TestMasksOfSeveralKeysNeedAllSeeds(t *testing.T) {
	p := addParams(t)
	a, b := newKeySet(t, p, 3, 2, 1), newKeySet(t, p, 3, 2, 2)
	o := extract(t, p, he.Term{Sum: a.encrypted(t, []int64{1}), Mask: p.AllMask()}, he.Term{Sum: b.encrypted(t, []int64{5}), Mask: p.AllMask()})[0]
	want := masksOf(t, 1, o, a, b)
	for n, k := range []*keySet{a, b} {
		forged := *k
		forged.seeds, forged.shares = nil, map[int]*threshold.Share{}
		seeds := map[int]threshold.Seed{}
		for c, seed := range k.seeds {
			seed[31] ^= 1
			forged.seeds = append(forged.seeds, seed)
			if k.sharing.Knows(1, c) {
				seeds[c] = seed
			}
		}
		var err error
		forged.shares[1], err = threshold.NewShare(p, k.hash, k.sharing, 1, seeds)
		require.NoError(t, err)
		sets := []*keySet{a, b}
		sets[n] = &forged
		for c, m := range masksOf(t, 1, o, sets...) {
			require.NotEqual(t, want[c].String(), m.String(), "without the seeds of set %d", n)
			require.LessOrEqual(t, m.BitLen(), 67)
		}
	}
}

// A ciphertext switched to two readers has errors and masks of their own: with
// the same ones the difference of two answers would be u times a known polynomial.
func TestSwitchesToTwoReadersAreUnrelated(t *testing.T) {
	p := smallParams(t)
	k, reader := newKeySet(t, p, 3, 2, 1), newKeySet(t, p, 3, 2, 2)
	c := k.encrypted(t, []int64{1}).Limbs[0]
	other := &he.PublicKey{B: *reader.public.B.CopyNew(), A: reader.public.A}
	p.RingQ().AddScalar(other.B, 1, other.B)
	first, err := k.shares[1].Switch(c, reader.public)
	require.NoError(t, err)
	second, err := k.shares[1].Switch(c, other)
	require.NoError(t, err)
	for i := range first {
		require.False(t, p.RingQ().Equal(first[i].H1, second[i].H1), "one u for two readers")
	}
}
