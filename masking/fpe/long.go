package fpe

import "math/big"

// long is FF1 for values whose halves do not fit 64 bits: x holds the numerals,
// most significant first, and is replaced.
func (e *engine) long(radix int, tweak []byte, x []uint16, back bool) {
	l := newLayout(radix, len(x), len(tweak))
	a, b := number(x[:l.u], radix), number(x[l.u:], radix)
	m := [2]*big.Int{
		new(big.Int).Exp(big.NewInt(int64(radix)), big.NewInt(int64(l.u)), nil),
		new(big.Int).Exp(big.NewInt(int64(radix)), big.NewInt(int64(l.v)), nil),
	}
	p := l.p(len(tweak))
	q := make([]byte, l.q)
	copy(q, tweak)
	for r := range rounds {
		i := r
		if back {
			i = rounds - 1 - r
			a, b = b, a
		}
		y := e.longRound(l, p, q, i, b)
		if back {
			y.Neg(y)
		}
		a.Mod(a.Add(a, y), m[i&1])
		if !back {
			a, b = b, a
		}
	}
	numerals(x[:l.u], a, radix)
	numerals(x[l.u:], b, radix)
}

// longRound is the number the round function gives for x in round i.
func (e *engine) longRound(l layout, p [blockSize]byte, q []byte, i int, x *big.Int) *big.Int {
	x.FillBytes(q[l.q-l.b:])
	q[l.q-l.b-1] = byte(i)
	var r [blockSize]byte
	e.chain(&r, p[:])
	e.chain(&r, q)
	s := append([]byte{}, r[:]...)
	for j := 1; len(s) < l.d; j++ {
		t := r
		for k := range 4 {
			t[blockSize-1-k] ^= byte(j >> (8 * k))
		}
		e.block.Encrypt(t[:], t[:])
		s = append(s, t[:]...)
	}
	return new(big.Int).SetBytes(s[:l.d])
}

func number(x []uint16, radix int) *big.Int {
	n, r := new(big.Int), big.NewInt(int64(radix))
	for _, d := range x {
		n.Add(n.Mul(n, r), big.NewInt(int64(d)))
	}
	return n
}

func numerals(x []uint16, n *big.Int, radix int) {
	r, d := big.NewInt(int64(radix)), new(big.Int)
	n = new(big.Int).Set(n)
	for i := len(x) - 1; i >= 0; i-- {
		n.DivMod(n, r, d)
		x[i] = uint16(d.Uint64())
	}
}
