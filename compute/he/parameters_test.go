package he_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
)

// What the literals mean may never change: stored leaves depend on it.
func TestKnownParameters(t *testing.T) {
	for _, c := range []struct {
		literal he.Literal
		q, t    []uint64
		id      string
	}{
		{he.AddLiteral(), addQ, addT, addID},
		{he.MulLiteral(), mulQ, mulT, mulID},
	} {
		p, err := he.NewParameters(c.literal)
		require.NoError(t, err)
		id := p.ID()
		t.Log(p.Q(), p.T(), hex.EncodeToString(id[:]))
		require.Equal(t, c.q, p.Q())
		require.Equal(t, c.t, p.T())
		require.Equal(t, c.id, hex.EncodeToString(id[:]))
		require.Equal(t, 2, p.Limbs())
		for _, prime := range append(p.Q(), p.T()...) {
			require.True(t, new(big.Int).SetUint64(prime).ProbablyPrime(32))
			require.EqualValues(t, 1, prime%uint64(2*p.N()))
		}
		require.Greater(t, p.Capacity().BitLen(), 71)
		require.False(t, p.Insecure())
	}
}

func TestParametersAreRefused(t *testing.T) {
	change := func(f func(*he.Literal)) he.Literal {
		l := he.AddLiteral()
		f(&l)
		return l
	}
	for name, l := range map[string]he.Literal{
		"nothing":               {},
		"ring not in the table": change(func(l *he.Literal) { l.LogN = 11 }),
		"a ring too large":      change(func(l *he.Literal) { l.LogN = 15 }),
		"a negative ring":       change(func(l *he.Literal) { l.LogN = -1 }),
		"107 bits at 2^12":      change(func(l *he.Literal) { l.LogQ = []int{54, 53} }),
		"with the auxiliary":    change(func(l *he.Literal) { l.LogP = []int{53} }),
		"the library's example": change(func(l *he.Literal) { l.LogQ = []int{55, 54} }),
		"no name":               change(func(l *he.Literal) { l.Name = "" }),
		"no ciphertext primes":  change(func(l *he.Literal) { l.LogQ = nil }),
		"no plaintext primes":   change(func(l *he.Literal) { l.LogT = nil }),
		"a prime too large":     change(func(l *he.Literal) { l.LogQ = []int{60, 40} }),
		"a prime of no bits":    change(func(l *he.Literal) { l.LogQ = []int{0, 52} }),
		"negative sizes":        change(func(l *he.Literal) { l.LogT = []int{-36, 36} }),
		"no room for noise":     change(func(l *he.Literal) { l.LogQ = []int{53} }),
		"many primes":           change(func(l *he.Literal) { l.LogT = make([]int, 100) }),
	} {
		_, err := he.NewParameters(l)
		require.ErrorIs(t, err, he.ErrParameters, name)
	}
	for _, logN := range []int{-1, 0, 5, 12, 99} {
		_, err := he.InsecureTestParameters(logN, false)
		require.ErrorIs(t, err, he.ErrParameters)
	}
}

// Secure at 2^12 with 106 bits, at 2^13 with 214: the edge of the table.
func TestEdgeOfTheSecurityTable(t *testing.T) {
	l := he.AddLiteral()
	l.LogQ = []int{53, 53}
	_, err := he.NewParameters(l)
	require.NoError(t, err)
	l = he.MulLiteral()
	l.LogP = []int{54}
	_, err = he.NewParameters(l)
	require.NoError(t, err)
	l.LogP = []int{55}
	_, err = he.NewParameters(l)
	require.ErrorIs(t, err, he.ErrParameters)
}

func TestParametersAreNotSharedByTheirCopies(t *testing.T) {
	p, err := he.InsecureTestParameters(6, true)
	require.NoError(t, err)
	p.Q()[0], p.T()[0] = 0, 0
	p.Capacity().SetInt64(0)
	p.BigQ().SetInt64(0)
	require.NotZero(t, p.Q()[0])
	require.NotZero(t, p.T()[0])
	require.Positive(t, p.Capacity().Sign())
	require.Positive(t, p.BigQ().Sign())
	require.Contains(t, p.Name(), "INSECURE")
	require.True(t, p.Insecure())
}

func TestExpandIsDeterministicUniformAndSeparated(t *testing.T) {
	p, err := he.NewParameters(he.MulLiteral())
	require.NoError(t, err)
	a, err := p.Expand([32]byte{1}, "a")
	require.NoError(t, err)
	again, err := p.Expand([32]byte{1}, "a")
	require.NoError(t, err)
	require.Equal(t, a, again)
	for _, other := range []struct {
		seed  byte
		label string
	}{{2, "a"}, {1, "b"}, {1, ""}} {
		o, err := p.Expand([32]byte{other.seed}, other.label)
		require.NoError(t, err)
		require.NotEqual(t, a, o)
	}
	require.NotEqual(t, a.Coeffs[1][:8], a.Coeffs[2][:8])
	for i, q := range p.Q() {
		var mean float64
		for _, x := range a.Coeffs[i] {
			require.Less(t, x, q)
			mean += float64(x) / float64(q)
		}
		require.InDelta(t, 0.5, mean/float64(p.N()), 0.02)
	}
	require.Equal(t, expandKnown, fmt.Sprint(a.Coeffs[0][:2]))
	qp, err := p.ExpandQP([32]byte{1}, "a")
	require.NoError(t, err)
	require.Equal(t, a, qp.Q)
	require.Len(t, qp.P.Coeffs, 1)
}

// The whole encryption from a fixed seed: the same leaf everywhere.
func TestKnownLeaf(t *testing.T) {
	p, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	_, key := newWholeSecret(t, p, 1)
	enc, err := he.NewEncryptor(p, key, bytes.NewReader(make([]byte, 48)))
	require.NoError(t, err)
	h := he.Header{Key: [32]byte{1}, Lane: he.LaneID("population", "2024-1", "income"), Batch: 7, Rows: 4}
	leaf, err := enc.Encrypt(nil, h, []int64{1, -1, 1 << 40, -1 << 62}, he.MaxValue)
	require.NoError(t, err)
	sum := leaf.Hash()
	require.Equal(t, leafKnown, hex.EncodeToString(sum[:]))
	require.LessOrEqual(t, float64(p.LeafSize())/float64(p.N()), 55.0)
	require.Equal(t, "[key]", fmt.Sprint(enc))
	require.Equal(t, "[key]", fmt.Sprintf("%#v", enc))
	text, err := json.Marshal(enc)
	require.NoError(t, err)
	require.Equal(t, `"[key]"`, string(text))
	require.Equal(t, "[key]", enc.LogValue().String())
}

func TestLaneIDsAreSeparated(t *testing.T) {
	require.NotEqual(t, he.LaneID("a", "b", "c"), he.LaneID("ab", "", "c"))
	require.NotEqual(t, he.LaneID("a", "b", "c"), he.LaneID("a", "c", "b"))
}
