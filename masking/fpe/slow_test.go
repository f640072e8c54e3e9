package fpe

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/emmansun/gmsm/sm4"
	"github.com/stretchr/testify/require"
	tjfoc "github.com/tjfoc/gmsm/sm4"
	"pgregory.net/rapid"
)

// slowFF1 follows SP 800-38G, algorithms 7 and 8, step by step, for reading.
func slowFF1(ciph cipher.Block, radix int, T []byte, X []uint16, back bool) []uint16 {
	n, t := len(X), len(T)
	u := n / 2
	v := n - u
	A, B := X[:u], X[u:]
	b := int(math.Ceil(math.Ceil(float64(v)*math.Log2(float64(radix))) / 8))
	d := 4*int(math.Ceil(float64(b)/4)) + 4
	P := []byte{1, 2, 1, byte(radix >> 16), byte(radix >> 8), byte(radix), 10, byte(u % 256),
		byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), byte(t >> 24), byte(t >> 16), byte(t >> 8), byte(t)}
	prf := func(m []byte) []byte {
		y := make([]byte, 16)
		for ; len(m) > 0; m = m[16:] {
			for i := range y {
				y[i] ^= m[i]
			}
			ciph.Encrypt(y, y)
		}
		return y
	}
	f := func(i int, of []uint16, m int) *big.Int {
		Q := append([]byte{}, T...)
		for (len(Q)+b+1)%16 != 0 {
			Q = append(Q, 0)
		}
		Q = append(append(Q, byte(i)), num(of, radix).FillBytes(make([]byte, b))...)
		R := prf(append(append([]byte{}, P...), Q...))
		S := append([]byte{}, R...)
		for j := 1; len(S) < d; j++ {
			x := append([]byte{}, R...)
			x[15] ^= byte(j)
			ciph.Encrypt(x, x)
			S = append(S, x...)
		}
		y := new(big.Int).SetBytes(S[:d])
		return y.Mod(y, new(big.Int).Exp(big.NewInt(int64(radix)), big.NewInt(int64(m)), nil))
	}
	for r := range 10 {
		i := r
		if back {
			i = 9 - r
		}
		m := u
		if i%2 == 1 {
			m = v
		}
		mod := new(big.Int).Exp(big.NewInt(int64(radix)), big.NewInt(int64(m)), nil)
		if back {
			c := num(B, radix)
			c.Mod(c.Sub(c, f(i, A, m)), mod)
			B, A = A, str(c, radix, m)
		} else {
			c := num(A, radix)
			c.Mod(c.Add(c, f(i, B, m)), mod)
			A, B = B, str(c, radix, m)
		}
	}
	return append(append([]uint16{}, A...), B...)
}

func num(x []uint16, radix int) *big.Int {
	n := new(big.Int)
	for _, d := range x {
		n.Mul(n, big.NewInt(int64(radix)))
		n.Add(n, big.NewInt(int64(d)))
	}
	return n
}

func str(n *big.Int, radix, m int) []uint16 {
	x := make([]uint16, m)
	rest, digit := new(big.Int).Set(n), new(big.Int)
	for i := m - 1; i >= 0; i-- {
		rest.DivMod(rest, big.NewInt(int64(radix)), digit)
		x[i] = uint16(digit.Int64())
	}
	return x
}

// The slow form itself is checked against a NIST sample and, for SM4, against
// the other library.
func TestSlowFormIsFF1(t *testing.T) {
	block, err := aes.NewCipher([]byte("\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c"))
	require.NoError(t, err)
	x := numeralsOf(t, Params{Alphabet: "alnum"}, "0123456789abcdefghi")
	y := slowFF1(block, 36, []byte("7777pqrs777"), x, false)
	require.Equal(t, numeralsOf(t, Params{Alphabet: "alnum"}, "a9tv40mll9kdu509eum"), y)
	require.Equal(t, x, slowFF1(block, 36, []byte("7777pqrs777"), y, true))
	ours, err := sm4.NewCipher(testKey[:16])
	require.NoError(t, err)
	theirs, err := tjfoc.NewCipher(testKey[:16])
	require.NoError(t, err)
	require.Equal(t, slowFF1(ours, 36, nil, x, false), slowFF1(theirs, 36, nil, x, false))
}

// FF1 with SM4: one known answer, so that a change of the derivation of keys or
// of the layout does not pass unseen.
func TestKnownAnswersWithSM4(t *testing.T) {
	block, err := sm4.NewCipher([]byte("\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"))
	require.NoError(t, err)
	p := Params{Tweak: "9876543210"}
	got := enciphered(t, newTextOn(newEngine(block), alphabetOf(t, p), p, false), "0123456789", "13800138000")
	require.Equal(t, []string{"0167303662", "53717328901"}, got)
	k, err := New(p, testKey)
	require.NoError(t, err)
	require.Equal(t, []string{"82474720674"}, enciphered(t, k, "13800138000"))
}

// onSM4 is a kernel on a bare SM4 key, and the cipher for the slow form.
func onSM4(t require.TestingT, p Params, back bool) (*text, cipher.Block) {
	e, err := newSM4(testKey[:16])
	require.NoError(t, err)
	return newTextOn(e, alphabetOf(t, p), p, back), e.block
}

func symbolsOf(p Params, x []uint16) string {
	s, _ := p.symbols()
	rs := []rune(s)
	out := make([]rune, len(x))
	for i, d := range x {
		out[i] = rs[d]
	}
	return string(out)
}

var alphabets = []Params{{}, {Alphabet: "lower"}, {Alphabet: "upper"}, {Alphabet: "alnum"},
	{Alphabet: "custom", Symbols: "01"}, {Alphabet: "custom", Symbols: "甲乙丙丁戊己庚辛壬癸"},
	{Alphabet: "custom", Symbols: "aé吉😀b"},
	{Alphabet: "custom", Symbols: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/"}}

func TestAgainstTheSlowForm(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := rapid.SampledFrom(alphabets).Draw(rt, "alphabet")
		p.Tweak = rapid.StringN(0, 40, 120).Draw(rt, "tweak")
		abc := alphabetOf(rt, p)
		k, block := onSM4(rt, p, false)
		radix := len(abc.symbols)
		var in, want []string
		for range rapid.IntRange(1, 12).Draw(rt, "rows") {
			longest := 70
			if rapid.IntRange(0, 20).Draw(rt, "long") == 0 {
				longest = 300
			}
			x := rapid.SliceOfN(rapid.Uint16Range(0, uint16(radix-1)), k.least, longest).Draw(rt, "x")
			in = append(in, symbolsOf(p, x))
			want = append(want, symbolsOf(p, slowFF1(block, radix, []byte(p.Tweak), x, false)))
		}
		require.Equal(rt, want, enciphered(t, k, in...))
		reverse, _ := onSM4(rt, p, true)
		require.Equal(rt, in, enciphered(t, reverse, want...))
	})
}

// Full and half-full runs of lanes, of one length and of many.
func TestManyRowsAgainstTheSlowForm(t *testing.T) {
	k, block := onSM4(t, Params{}, false)
	reverse, _ := onSM4(t, Params{}, true)
	for _, n := range []int{1, laneCount - 1, laneCount, laneCount + 1, 3*laneCount + 17} {
		in, want := make([]string, n), make([]string, n)
		for i := range in {
			in[i] = fmt.Sprintf("%0*d", 6+i*i%33, i*7919)
			want[i] = symbolsOf(Params{}, slowFF1(block, 10, nil, numeralsOf(t, Params{}, in[i]), false))
		}
		require.Equal(t, want, enciphered(t, k, in...))
		require.Equal(t, in, enciphered(t, reverse, want...))
	}
}

// FuzzFF1: the forms agree on any radix, length and tweak.
func FuzzFF1(f *testing.F) {
	f.Add(uint16(10), []byte("tweak"), []byte("0123456789"), false)
	f.Add(uint16(65535), []byte(""), []byte{0xff, 0xff, 0xff, 0xff}, true)
	f.Add(uint16(255), []byte("0123456789abcdef"), []byte("\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe"), false)
	f.Fuzz(func(t *testing.T, radix uint16, tweak, raw []byte, back bool) {
		if radix < 2 || len(raw) < 4 || len(raw) > 200 || len(tweak) > maxTweak {
			return
		}
		e, err := newSM4(testKey[:16])
		require.NoError(t, err)
		x := make([]uint16, len(raw)/2)
		for i := range x {
			x[i] = (uint16(raw[2*i])<<8 | uint16(raw[2*i+1])) % radix
		}
		want := slowFF1(e.block, int(radix), tweak, x, back)
		long := append([]uint16{}, x...)
		e.long(int(radix), tweak, long, back)
		require.Equal(t, want, long)
		s, ok := e.newShape(int(radix), len(x), tweak)
		if !ok {
			return
		}
		a, b := num(x[:s.u], int(radix)).Uint64(), num(x[s.u:], int(radix)).Uint64()
		l := &lanes{e: e, s: s, back: back, vals: []halves{{a, b}, {a, b}}}
		l.push(1, 0)
		l.push(0, 0)
		l.drain()
		oneA, oneB := e.one(s, a, b, back)
		require.Equal(t, []halves{{oneA, oneB}, {oneA, oneB}}, l.vals)
		require.Equal(t, num(want[:s.u], int(radix)).Uint64(), oneA)
		require.Equal(t, num(want[s.u:], int(radix)).Uint64(), oneB)
	})
}
