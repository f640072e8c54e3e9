package threshold_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

func wireCase(t testing.TB, p *he.Parameters) (*keySet, [32]byte, []threshold.Answer, []byte) {
	t.Helper()
	k := newKeySet(t, p, 3, 2, 1)
	openings := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{5}), Mask: p.AllMask()})
	list, err := threshold.ListHash(p, openings)
	require.NoError(t, err)
	a, err := k.shares[2].Open(openings)
	require.NoError(t, err)
	b, err := threshold.MarshalAnswers(p, k.sharing, 2, list, a)
	require.NoError(t, err)
	return k, list, a, b
}

func TestAnswersOnTheWire(t *testing.T) {
	p := addParams(t)
	k, list, a, b := wireCase(t, p)
	require.Equal(t, 14, threshold.PartSize(p))
	require.LessOrEqual(t, threshold.AnswersSize(p, k.sharing, 1, 200), 6500, "100 scalars of two limbs")
	back, err := threshold.ParseAnswers(p, k.sharing, 2, list, 2, b)
	require.NoError(t, err)
	require.Equal(t, a, back)

	for n := range b { // every shorter length
		_, err := threshold.ParseAnswers(p, k.sharing, 2, list, 2, b[:n])
		require.ErrorIs(t, err, threshold.ErrMalformed)
	}
	_, err = threshold.ParseAnswers(p, k.sharing, 2, list, 2, append(b[:len(b):len(b)], 0))
	require.ErrorIs(t, err, threshold.ErrMalformed)
	const header = 4 + 1 + 32 + 32 + 3 + 4
	for bit := range 8 * header { // every bit of the header
		bad := append([]byte(nil), b...)
		bad[bit/8] ^= 1 << (bit % 8)
		_, err := threshold.ParseAnswers(p, k.sharing, 2, list, 2, bad)
		require.ErrorIs(t, err, threshold.ErrMismatch)
	}
	for i := header; i < len(b); i++ { // residues not below their primes, filling not zero
		bad := append([]byte(nil), b...)
		for j := i; j < min(i+14, len(b)); j++ {
			bad[j] = 0xff
		}
		_, err := threshold.ParseAnswers(p, k.sharing, 2, list, 2, bad)
		require.ErrorIs(t, err, threshold.ErrMalformed)
	}
	_, err = threshold.ParseAnswers(p, k.sharing, 1, list, 2, b)
	require.Error(t, err, "another holder's")
	_, err = threshold.ParseAnswers(p, k.sharing, 2, [32]byte{}, 2, b)
	require.ErrorIs(t, err, threshold.ErrMismatch)
}

func TestShareStaysSecretAndStrict(t *testing.T) {
	p := smallParams(t)
	k := newKeySet(t, p, 5, 3, 1)
	share := k.shares[4]
	printed := fmt.Sprintf("%v %+v %#v %s %v %#v", share, share, share, share, k.seeds[0], k.seeds[0])
	j, err := json.Marshal(map[string]any{"a": share, "b": k.seeds[0]})
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "share", share, "seed", k.seeds[0])
	for _, s := range []string{printed, string(j), log.String()} {
		require.Contains(t, s, "[key]")
		require.NotContains(t, s, "aa")
		require.NotContains(t, s, "170")
	}
	b := share.Bytes()
	back, err := threshold.ParseShare(p, b)
	require.NoError(t, err)
	require.Equal(t, b, back.Bytes())
	for n := range b {
		_, err := threshold.ParseShare(p, b[:n])
		require.Error(t, err)
	}
	_, err = threshold.ParseShare(p, append(b[:len(b):len(b)], 0))
	require.ErrorIs(t, err, threshold.ErrMalformed)
	_, err = threshold.ParseShare(addParams(t), b)
	require.ErrorIs(t, err, threshold.ErrMismatch)
	_, err = threshold.NewShare(p, k.hash, k.sharing, 0, nil)
	require.ErrorIs(t, err, threshold.ErrSharing)
	_, err = threshold.NewShare(p, k.hash, k.sharing, 6, nil)
	require.ErrorIs(t, err, threshold.ErrSharing)
	_, err = threshold.NewShare(p, k.hash, k.sharing, 1, map[int]threshold.Seed{0: {}})
	require.ErrorIs(t, err, threshold.ErrMismatch)
}

func TestOpeningsOfAnotherFormAreRefused(t *testing.T) {
	p := smallParams(t)
	k := newKeySet(t, p, 3, 2, 1)
	good := extract(t, p, he.Term{Sum: k.encrypted(t, []int64{5}), Mask: p.AllMask()})[0]
	for name, spoil := range map[string]func(o *he.Opening){
		"limb":       func(o *he.Opening) { o.Limb = 2 },
		"no limb":    func(o *he.Opening) { o.Limb = -1 },
		"key":        func(o *he.Opening) { o.Keys = [][32]byte{{99}} },
		"no key":     func(o *he.Opening) { o.Keys = nil },
		"keys twice": func(o *he.Opening) { o.Keys, o.A = append(o.Keys, o.Keys[0]), append(o.A, o.A[0]) },
		"no sample":  func(o *he.Opening) { o.A = nil },
		"short B":    func(o *he.Opening) { o.B = o.B[:1] },
		"large B":    func(o *he.Opening) { o.B = []uint64{p.Q()[0], 0} },
		"huge B":     func(o *he.Opening) { o.B = []uint64{1 << 63, 0} },
		"short row":  func(o *he.Opening) { o.A[0].Coeffs[0] = o.A[0].Coeffs[0][:63] },
		"rows":       func(o *he.Opening) { o.A[0].Coeffs = o.A[0].Coeffs[:1] },
		"large A":    func(o *he.Opening) { o.A[0].Coeffs[1][5] = p.Q()[1] },
		"huge A":     func(o *he.Opening) { o.A[0].Coeffs[1][5] = 1<<64 - 1 },
		"no opening": nil,
	} {
		t.Run(name, func(t *testing.T) {
			var o *he.Opening
			if spoil != nil {
				c := *good
				c.A = append(c.A[:0:0], *good.A[0].CopyNew())
				spoil(&c)
				o = &c
			}
			_, err := k.shares[1].Open([]*he.Opening{o})
			require.Error(t, err)
		})
	}
	other := newKeySet(t, p, 3, 2, 2)
	for _, shares := range [][]*threshold.Share{
		nil, {k.shares[1], other.shares[2]}, {k.shares[1], k.shares[1]}, {k.shares[1], newKeySet(t, p, 4, 2, 3).shares[1]},
	} {
		_, err := threshold.Open(shares, []*he.Opening{good})
		require.Error(t, err)
	}
}

// What members must agree on never changes: another version of the code, another
// machine, would name honest holders cheaters.
func TestKnownAnswers(t *testing.T) {
	p := addParams(t)
	k := newKeySet(t, p, 3, 2, 1)
	require.Equal(t, "da7ecd8d", short(threshold.PublicPartBytes(p, must(threshold.PublicPart(p, k.seeds[0], [32]byte{5})))))
	a := must(p.Expand([32]byte{6}, "known answer"))
	o := &he.Opening{Limb: 1, Keys: [][32]byte{k.hash}, A: append(extract(t, p, he.Term{Sum: k.encrypted(t, nil), Mask: p.AllMask()})[0].A[:0], a), B: []uint64{1, 2}}
	answers := must(k.shares[1].Open([]*he.Opening{o}))
	require.Equal(t, "745c53a4", short(must(threshold.MarshalAnswers(p, k.sharing, 1, [32]byte{}, answers))))
	mul := must(he.NewParameters(he.MulLiteral()))
	one := must(threshold.RelinRoundOne(mul, k.seeds[0], [32]byte{5}))
	require.Equal(t, "519c5250", short(one.Bytes()))
	require.Equal(t, "cc5fb376", short(must(threshold.RelinRoundTwo(mul, k.seeds[0], [32]byte{5}, one)).Bytes()))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func short(b []byte) string {
	sum := sm3.Sum(b)
	return hex.EncodeToString(sum[:4])
}

func FuzzParseAnswers(f *testing.F) {
	p, err := he.InsecureTestParameters(6, false)
	require.NoError(f, err)
	k, list, _, b := wireCase(f, p)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := threshold.ParseAnswers(p, k.sharing, 2, list, 2, b)
		if err != nil {
			return
		}
		back, err := threshold.MarshalAnswers(p, k.sharing, 2, list, a)
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
}

func FuzzParseShare(f *testing.F) {
	p, err := he.InsecureTestParameters(6, false)
	require.NoError(f, err)
	f.Add(newKeySet(f, p, 3, 2, 1).shares[1].Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := threshold.ParseShare(p, b); err == nil {
			require.Equal(t, b, s.Bytes())
		}
	})
}

func FuzzParseParts(f *testing.F) {
	p, err := he.InsecureTestParameters(6, true)
	require.NoError(f, err)
	one := must(threshold.RelinRoundOne(p, threshold.Seed{1}, [32]byte{5}))
	f.Add(one.Bytes())
	f.Add(threshold.PublicPartBytes(p, must(threshold.PublicPart(p, threshold.Seed{1}, [32]byte{5}))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := threshold.ParseRelinPart(p, b); err == nil {
			require.Equal(t, b, r.Bytes())
		}
		if r, err := threshold.ParsePublicPart(p, b); err == nil {
			require.Equal(t, b, threshold.PublicPartBytes(p, r))
		}
	})
}

func FuzzParseCap(f *testing.F) {
	c := must(threshold.NewCap(100, 1))
	require.NoError(f, c.Spend([32]byte{1}, 5))
	require.NoError(f, c.Spend([32]byte{2}, 6))
	f.Add(c.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := threshold.ParseCap(b); err == nil {
			require.Equal(t, b, c.Bytes())
		}
	})
}
