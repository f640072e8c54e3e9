package threshold_test

import (
	"math/big"
	mrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Twelve coefficients of the secret, each of -3 to 3, are one number in base 7
// below a plaintext prime.
const (
	digitsPerLimb = 12
	digitBase     = 7
)

// crafted is what a malicious provider uploads in place of an encryption: c0 = 0
// and c1 such that coefficient 0 of the phase is T^-1 times a number that spells
// 24 coefficients of the secret, from position at on.
func crafted(p *he.Parameters, key [32]byte, at int) *he.Sum {
	r := p.RingQ()
	sum := &he.Sum{Key: key}
	for limb, t := range p.T() {
		c := he.Ciphertext{C0: r.NewPoly(), C1: r.NewPoly()}
		for i, q := range p.Q() {
			modulus := new(big.Int).SetUint64(q)
			weight := new(big.Int).ModInverse(new(big.Int).SetUint64(t), modulus)
			for d := range digitsPerLimb {
				if j := at + limb*digitsPerLimb + d; j < p.N() {
					// the phase's coefficient 0 has c1_0*s_0 - sum c1_(N-j)*s_j
					w := new(big.Int).Set(weight)
					if j > 0 {
						w.Neg(w).Mod(w, modulus)
					}
					c.C1.Coeffs[i][(p.N()-j)%p.N()] = w.Uint64()
				}
				weight.Mul(weight, big.NewInt(digitBase)).Mod(weight, modulus)
			}
		}
		sum.Limbs = append(sum.Limbs, c)
	}
	return sum
}

// spelled reads the digits out of an opened limb.
func spelled(p *he.Parameters, limb int, phase []uint64) []int64 {
	q, t := p.BigQ(), new(big.Int).SetUint64(p.T()[limb])
	x, m := new(big.Int), big.NewInt(1)
	for i, prime := range p.Q() {
		b := new(big.Int).SetUint64(prime)
		step := new(big.Int).Sub(new(big.Int).SetUint64(phase[i]), x)
		step.Mul(step, new(big.Int).ModInverse(m, b)).Mod(step, b)
		x.Add(x, step.Mul(step, m))
		m.Mul(m, b)
	}
	centre := func(x, m *big.Int) *big.Int {
		x.Mod(x, m)
		if new(big.Int).Lsh(x, 1).Cmp(m) > 0 {
			x.Sub(x, m)
		}
		return x
	}
	v := centre(centre(x.Mul(x, t), q), t).Int64()
	var digits []int64
	for range digitsPerLimb {
		d := ((v+3)%digitBase+digitBase)%digitBase - 3
		digits = append(digits, d)
		v = (v - d) / digitBase
	}
	return digits
}

func stolen(t *testing.T, k *keySet) (secret []int64, scalars int) {
	p := k.params
	for at := 0; at < p.N(); at += 2 * digitsPerLimb {
		openings := extract(t, p, he.Term{Sum: crafted(p, k.hash, at), Mask: p.CoefficientMask(0)})
		phases, err := threshold.Phases(p, k.sharing, openings, answersOf(t, k, openings, 1, 2))
		require.NoError(t, err)
		for limb, phase := range phases {
			secret = append(secret, spelled(p, limb, phase)...)
		}
		scalars++
	}
	return secret[:p.N()], scalars
}

// A provider that makes up ciphertexts and gets 171 scalars approved holds its
// own secret, and can do nothing with it that it could not do before: the data
// under its key set are its own. Another key set stays shut.
func TestKeyBitsByCraftedCiphertextsBreakOwnDataOnly(t *testing.T) {
	p := addParams(t)
	mine, theirs := newKeySet(t, p, 3, 2, 1), newKeySet(t, p, 3, 2, 2)
	secret, scalars := stolen(t, mine)
	require.Equal(t, 171, scalars)
	require.Equal(t, mine.secret(t), secret, "the attack works: it reads the attacker's own key")

	read := func(sum *he.Sum) (string, error) {
		var phases [][]uint64
		for _, c := range sum.Limbs {
			poly := phase(p, c, secret)
			phases = append(phases, []uint64{poly.Coeffs[0][0], poly.Coeffs[1][0]})
		}
		v, err := he.Decode(p, phases, big.NewInt(1<<41))
		if err != nil {
			return "", err
		}
		return v.String(), nil
	}
	got, err := read(mine.encrypted(t, []int64{424242}))
	require.NoError(t, err)
	require.Equal(t, "424242", got)
	_, err = read(theirs.encrypted(t, []int64{424242}))
	require.ErrorIs(t, err, he.ErrRange)

	// in a common opening the attacker sees the other's approved number, no more:
	// whatever it puts into its own half is added to the result and known to it
	honest := he.Term{Sum: theirs.encrypted(t, []int64{1000, 2000}), Mask: p.AllMask()}
	openings := extract(t, p, honest, he.Term{Sum: crafted(p, mine.hash, 0), Mask: p.CoefficientMask(0)})
	phases, err := threshold.Phases(p, mine.sharing, openings, bothAnswer(t, openings, mine, theirs))
	require.NoError(t, err)
	for limb, ph := range phases {
		var own int64
		for d := digitsPerLimb - 1; d >= 0; d-- {
			own = own*digitBase + secret[limb*digitsPerLimb+d]
		}
		var got int64
		digits := spelled(p, limb, ph)
		for d := digitsPerLimb - 1; d >= 0; d-- {
			got = got*digitBase + digits[d]
		}
		require.Equal(t, own+3000, got)
	}
}

func bothAnswer(t testing.TB, openings []*he.Opening, sets ...*keySet) map[int][]threshold.Answer {
	all := map[int][]threshold.Answer{}
	for _, h := range []int{1, 2} {
		var shares []*threshold.Share
		for _, k := range sets {
			shares = append(shares, k.shares[h])
		}
		a, err := threshold.Open(shares, openings)
		require.NoError(t, err)
		all[h] = a
	}
	return all
}

func TestAveragingByRepetitionGivesTheSameBits(t *testing.T) {
	p := addParams(t)
	k := newKeySet(t, p, 3, 2, 1)
	openings := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{5}), Mask: p.AllMask()})
	first := answersOf(t, k, openings, 1)[1]
	require.Equal(t, first, answersOf(t, k, openings, 1)[1])

	// from a copy of the state
	old, err := threshold.ParseShare(p, k.shares[1].Bytes())
	require.NoError(t, err)
	again, err := old.Open(openings)
	require.NoError(t, err)
	require.Equal(t, first, again)

	// another constant part, another limb: the same A, so the same mask
	other := *openings[0]
	other.B = []uint64{1, 2}
	other.Limb = 1
	again, err = k.shares[1].Open([]*he.Opening{&other})
	require.NoError(t, err)
	require.Equal(t, first[:1], again)

	// one bit of A: another mask
	other = *openings[0]
	other.A = nil
	poly := *openings[0].A[0].CopyNew()
	poly.Coeffs[0][0] ^= 1
	other.A = append(other.A, poly)
	again, err = k.shares[1].Open([]*he.Opening{&other})
	require.NoError(t, err)
	require.NotEqual(t, first[0].Parts[0].Value[1], again[0].Parts[0].Value[1])
}

// One holder and the gateway: what they can compute of a phase lacks a component
// and is uniform whatever the value. Chi-square over 64 buckets of the first
// residue, 8192 samples from a fixed seed; the critical value 140 is passed by a
// uniform source with probability below 1e-7.
func TestTooFewHoldersWithTheGatewaySeeNothing(t *testing.T) {
	p := smallParams(t)
	for _, value := range []int64{0, 1 << 35} {
		k := newKeySet(t, p, 3, 2, 3)
		source := mrand.NewChaCha8([32]byte{byte(value >> 33), 4})
		enc, err := he.NewEncryptor(p, k.public, source)
		require.NoError(t, err)
		var buckets [64]int
		const batches = 128
		for range batches {
			leaf, err := enc.Encrypt(nil, he.Header{Key: k.hash, Rows: 64}, repeated(value, p.N()), 1<<40)
			require.NoError(t, err)
			acc := he.NewAccumulator(p, k.hash)
			require.NoError(t, acc.Add(leaf))
			for j := range p.N() {
				o := extract(t, p, he.Term{Sum: acc.Sum(), Mask: p.CoefficientMask(j)})[:1]
				a := answersOf(t, k, o, 2)[2]
				x := o[0].B[0]
				for _, part := range a[0].Parts {
					x = (x + part.Value[0]) % p.Q()[0]
				}
				buckets[x/(p.Q()[0]/64+1)]++
			}
		}
		require.Less(t, chiSquare(buckets[:], float64(batches*p.N())/64), 140.0)
	}
}

func repeated(v int64, n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func chiSquare(buckets []int, want float64) float64 {
	var sum float64
	for _, n := range buckets {
		d := float64(n) - want
		sum += d * d / want
	}
	return sum
}

func TestCheatingHolderIsNamed(t *testing.T) {
	p := smallParams(t)
	for _, c := range []struct {
		name      string
		n, t      int
		holders   []int
		lies      map[int][]int // holder -> positions of its parts that it falsifies
		want      []int
		certain   bool
		noneAtAll bool
	}{
		{name: "nobody", n: 3, t: 2, holders: []int{1, 2, 3}, noneAtAll: true},
		{name: "both of its components", n: 3, t: 2, holders: []int{1, 2, 3}, lies: map[int][]int{1: {0, 1}}, want: []int{1}, certain: true},
		{name: "one of two members", n: 3, t: 2, holders: []int{1, 2, 3}, lies: map[int][]int{1: {0}}, want: []int{1, 3}},
		{name: "two holders only", n: 3, t: 2, holders: []int{1, 2}, lies: map[int][]int{2: {0, 1}}, want: []int{1, 2}},
		{name: "majority", n: 4, t: 2, holders: []int{1, 2, 3, 4}, lies: map[int][]int{3: {1}}, want: []int{3}, certain: true},
		{name: "two cheat alike in a wide sharing", n: 7, t: 3, holders: []int{1, 2, 3, 4, 5, 6, 7}, lies: map[int][]int{2: {0, 1, 2, 3}, 6: {0, 1, 2, 3}}, want: []int{2, 6}, certain: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKeySet(t, p, c.n, c.t, 1)
			openings := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{5, 6}), Mask: p.AllMask()})
			answers := answersOf(t, k, openings, c.holders...)
			for h, parts := range c.lies {
				for _, i := range parts {
					v := answers[h][1].Parts[i].Value
					v[0] = (v[0] + 1 + uint64(h)) % p.Q()[0]
				}
			}
			got, err := threshold.Combine(p, k.sharing, openings, answers, nil)
			if c.noneAtAll {
				require.NoError(t, err)
				require.Equal(t, ints(11), texts(got))
				return
			}
			var e *threshold.DisagreementError
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.want, e.Holders)
			require.Equal(t, c.certain, e.Certain)
			require.Equal(t, 1, e.Opening)
			if c.certain && len(c.holders)-len(c.want) >= c.t {
				for _, h := range c.want {
					delete(answers, h)
				}
				got, err = threshold.Combine(p, k.sharing, openings, answers, nil)
				require.NoError(t, err)
				require.Equal(t, ints(11), texts(got))
			}
		})
	}
}
