package main

import (
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/bnb-chain/tss-lib/v2/crypto/paillier"
)

const (
	modulusBits = 2048
	valueBits   = 40 // |value| < 2^valueBits
	guardBits   = 30 // for up to 2^guardBits rows
	slotBits    = valueBits + 1 + guardBits
	slots       = (modulusBits - 1) / slotBits
	// shortBits is the length of the exponent of the Damgard-Jurik-Nielsen
	// variant at 112 to 128 bits of security.
	shortBits = 256
)

// packer encrypts packed values: slots of slotBits, each holding value +
// 2^valueBits so that it is not negative.
type packer struct {
	private *paillier.PrivateKey
	square  *big.Int
	h       *big.Int // x^N mod N^2 for one random x: base of the short variant
}

func newPacker() (*packer, error) {
	p, err := rand.Prime(rand.Reader, modulusBits/2)
	if err != nil {
		return nil, err
	}
	q, err := rand.Prime(rand.Reader, modulusBits/2)
	if err != nil {
		return nil, err
	}
	one := big.NewInt(1)
	n := new(big.Int).Mul(p, q)
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	phi := new(big.Int).Mul(p1, q1)
	lambda := new(big.Int).Quo(phi, new(big.Int).GCD(nil, nil, p1, q1))
	key := &paillier.PrivateKey{PublicKey: paillier.PublicKey{N: n}, LambdaN: lambda, PhiN: phi, P: p, Q: q}
	x, err := rand.Int(rand.Reader, n)
	if err != nil {
		return nil, err
	}
	square := key.NSquare()
	return &packer{private: key, square: square, h: x.Exp(x, n, square)}, nil
}

func pack(values []int64) *big.Int {
	m := new(big.Int)
	for i := len(values) - 1; i >= 0; i-- {
		m.Lsh(m, slotBits)
		m.Add(m, big.NewInt(values[i]+1<<valueBits))
	}
	return m
}

// library encrypts with the library's own function.
func (p *packer) library(values []int64) (*big.Int, error) {
	return p.private.PublicKey.Encrypt(rand.Reader, pack(values))
}

// short encrypts with g^m = 1 + m*N and a short exponent: the fastest form.
func (p *packer) short(values []int64) (*big.Int, error) {
	r, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), shortBits))
	if err != nil {
		return nil, err
	}
	c := pack(values)
	c.Mul(c, p.private.N).Add(c, big.NewInt(1))
	return c.Mul(c, r.Exp(p.h, r, p.square)).Mod(c, p.square), nil
}

// open decrypts and adds the slots; rows is how many values went in per slot.
func (p *packer) open(c *big.Int, rows int64) (int64, error) {
	m, err := p.private.Decrypt(c)
	if err != nil {
		return 0, fmt.Errorf("decrypt the peer's sum: %w", err)
	}
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), slotBits), big.NewInt(1))
	var sum int64
	for range slots {
		slot := new(big.Int).And(m, mask)
		sum += slot.Int64() - rows<<valueBits
		m.Rsh(m, slotBits)
	}
	return sum, nil
}
