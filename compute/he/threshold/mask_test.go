package threshold_test

import (
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

func counterID(i int) (id [32]byte) {
	binary.BigEndian.PutUint64(id[:], uint64(i))
	return id
}

func wordsToBig(hi, lo uint64) *big.Int {
	v := new(big.Int).SetUint64(hi)
	v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(lo))
	if hi>>63 == 1 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return v
}

func TestMasksAreInRangeAndReduceRightly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.UintRange(0, 126).Draw(t, "n")
		var k [32]byte
		binary.BigEndian.PutUint64(k[:], rapid.Uint64().Draw(t, "k"))
		id := counterID(rapid.Int().Draw(t, "id"))
		q := rapid.SliceOfN(rapid.Uint64Range(2, 1<<56), 1, 3).Draw(t, "q")
		hi, lo := threshold.WordsForTest(k, id, n)
		v := wordsToBig(hi, lo)
		require.LessOrEqual(t, v.CmpAbs(new(big.Int).Lsh(big.NewInt(1), n)), 0)
		for i, r := range threshold.MaskForTest(k, id, n, q) {
			prime := new(big.Int).SetUint64(q[i])
			require.Equal(t, new(big.Int).Mod(v, prime).Uint64(), r)
		}
	})
}

// All 2B+1 values of small masks, 20,000 draws each from a fixed key: chi-square
// with 2B degrees of freedom, critical values of probability below 1e-7.
func TestSmallMasksAreExactlyUniform(t *testing.T) {
	for _, c := range []struct {
		n        uint
		critical float64
	}{{0, 33}, {1, 40}, {2, 47}, {3, 62}} {
		b := 1 << c.n
		buckets := make([]int, 2*b+1)
		for i := range 20000 {
			hi, lo := threshold.WordsForTest([32]byte{7}, counterID(i), c.n)
			buckets[int(wordsToBig(hi, lo).Int64())+b]++
		}
		require.Less(t, chiSquare(buckets, 20000/float64(len(buckets))), c.critical, "B = 2^%d", c.n)
	}
}

// B = 2^66 over 65 equal parts of the range and, for the low bits, modulo 64:
// 64 and 63 degrees of freedom, probability of a false alarm below 1e-7 each.
func TestLargeMasksAreUniform(t *testing.T) {
	const draws, n = 40000, 66
	b := new(big.Int).Lsh(big.NewInt(1), n)
	width := new(big.Int).Add(new(big.Int).Lsh(b, 1), big.NewInt(1))
	var parts [65]int
	var low [64]int
	least, most := new(big.Int).Set(b), new(big.Int).Neg(b)
	for i := range draws {
		hi, lo := threshold.WordsForTest([32]byte{9}, counterID(i), n)
		v := wordsToBig(hi, lo)
		low[lo&63]++
		if v.Cmp(least) < 0 {
			least.Set(v)
		}
		if v.Cmp(most) > 0 {
			most.Set(v)
		}
		at := new(big.Int).Add(v, b)
		parts[at.Mul(at, big.NewInt(65)).Div(at, width).Int64()]++
	}
	require.Less(t, chiSquare(parts[:], draws/65.0), 140.0)
	require.Less(t, chiSquare(low[:], draws/64.0), 140.0)
	edge := new(big.Int).Div(b, big.NewInt(500)) // 40,000 draws miss the outer 1/1000 with probability e^-40
	require.Positive(t, most.Cmp(new(big.Int).Sub(b, edge)))
	require.Negative(t, least.Cmp(new(big.Int).Sub(edge, b)))
}

// An answer is <A, sigma> + mask, computed here in whole numbers.
func TestAnswerEqualsTheDefinition(t *testing.T) {
	p := smallParams(t)
	k := newKeySet(t, p, 3, 2, 1)
	bounds, err := threshold.NewBounds(p, k.sharing)
	require.NoError(t, err)
	openings := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{5, -6}), Mask: p.AllMask()})
	limit := new(big.Int).Lsh(big.NewInt(1), bounds.MaskBits)
	for h := 1; h <= 3; h++ {
		for i, a := range answersOf(t, k, openings, h)[h] {
			for _, part := range a.Parts {
				sigma, err := threshold.SecretForTest(p, k.seeds[part.Component])
				require.NoError(t, err)
				x, m := new(big.Int), big.NewInt(1)
				for l, q := range p.Q() {
					prime := new(big.Int).SetUint64(q)
					sum := new(big.Int).SetUint64(part.Value[l])
					for j, s := range sigma {
						term := new(big.Int).SetUint64(openings[i].A[0].Coeffs[l][j])
						sum.Sub(sum, term.Mul(term, big.NewInt(int64(s))))
					}
					sum.Sub(sum, x).Mul(sum, new(big.Int).ModInverse(m, prime)).Mod(sum, prime)
					x.Add(x, sum.Mul(sum, m))
					m.Mul(m, prime)
				}
				if new(big.Int).Lsh(x, 1).Cmp(m) > 0 {
					x.Sub(x, m)
				}
				require.LessOrEqual(t, x.CmpAbs(limit), 0, "what is left is a mask")
				require.NotZero(t, x.Sign())
			}
		}
	}
}

func TestInnerProductAtTheExtremes(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 4096} {
		for _, s := range []int8{-1, 0, 1} {
			const q = 1<<56 - 5
			row, sigma := make([]uint64, n), make([]int8, n)
			for j := range row {
				row[j], sigma[j] = q-1, s
			}
			want := new(big.Int).Mul(big.NewInt(q-1), big.NewInt(int64(n)*int64(s)))
			require.Equal(t, want.Mod(want, big.NewInt(q)).Uint64(), threshold.InnerForTest(row, sigma, q))
		}
	}
}

// Deviations of what is derived from seeds: ternary thirds within 6 deviations,
// errors of variance 21/2 and bound 19.
func TestDerivedDistributions(t *testing.T) {
	p := addParams(t)
	var count [3]int
	for i := range 16 {
		sigma, err := threshold.SecretForTest(p, threshold.Seed{byte(i)})
		require.NoError(t, err)
		for _, x := range sigma {
			count[x+1]++
		}
	}
	for _, n := range count {
		require.InDelta(t, 16*4096/3.0, n, 6*121)
	}
	var sum, square float64
	const draws = 1 << 18
	for _, e := range threshold.ErrorsForTest([32]byte{3}, draws) {
		require.LessOrEqual(t, max(e, -e), int8(19))
		sum += float64(e)
		square += float64(e) * float64(e)
	}
	require.InDelta(t, 0, sum/draws, 6*3.24/512)
	require.InDelta(t, 10.5, square/draws, 6*14.9/512)
}
