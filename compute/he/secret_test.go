package he_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/yumen-project/yumen/compute/he"
)

// wholeSecret is what nobody has outside these tests: a secret in one piece.
type wholeSecret struct {
	params *he.Parameters
	s      []int64
	poly   ring.Poly // NTT domain, Montgomery form
}

// newWholeSecret draws a secret as the sum of three ternary components and its
// public key with the sum of three errors, as the ceremony's result is.
func newWholeSecret(t testing.TB, p *he.Parameters, seed uint64) (*wholeSecret, *he.PublicKey) {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &wholeSecret{params: p, s: make([]int64, p.N()), poly: p.RingQ().NewPoly()}
	e := p.RingQ().NewPoly()
	for j := range w.s {
		var noise int64
		for range 3 {
			w.s[j] += int64(r.IntN(3)) - 1
			noise += int64(r.IntN(11)) - 5
		}
		for i, q := range p.Q() {
			w.poly.Coeffs[i][j] = uint64(w.s[j]+int64(q)) % q
			e.Coeffs[i][j] = uint64(noise+int64(q)) % q
		}
	}
	rq := p.RingQ()
	rq.NTT(w.poly, w.poly)
	rq.MForm(w.poly, w.poly)
	rq.NTT(e, e)
	a, err := p.Expand([32]byte{byte(seed)}, "test key")
	require.NoError(t, err)
	b := rq.NewPoly()
	rq.MulCoeffsMontgomery(a, w.poly, b)
	rq.Sub(e, b, b)
	return w, &he.PublicKey{B: b, A: a}
}

// phases evaluates the openings of one scalar under several secrets by plain
// big-integer arithmetic.
func phases(p *he.Parameters, openings []*he.Opening, secrets map[[32]byte]*wholeSecret) [][]uint64 {
	out := make([][]uint64, len(openings))
	for limb, o := range openings {
		for i, q := range p.Q() {
			sum := new(big.Int).SetUint64(o.B[i])
			for k, key := range o.Keys {
				for j, s := range secrets[key].s {
					term := new(big.Int).SetUint64(o.A[k].Coeffs[i][j])
					sum.Add(sum, term.Mul(term, big.NewInt(s)))
				}
			}
			out[limb] = append(out[limb], sum.Mod(sum, new(big.Int).SetUint64(q)).Uint64())
		}
	}
	return out
}
