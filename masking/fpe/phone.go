package fpe

import (
	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	rulePhone  = "not a mobile number"
	widthPhone = 11
	tail       = 1_000_000_000 // numbers behind the first two digits
	phones     = 7 * tail      // second digits 3 to 9
)

// phone ranks mobile numbers: 1, then 3 to 9, then nine digits.
type phone struct{}

func newPhone(p Params, key []byte, back bool) (kernel.Kernel, error) {
	if err := p.only(); err != nil {
		return nil, err
	}
	e, err := engineFor(key, TypePhone, p.Tweak)
	if err != nil {
		return nil, err
	}
	return &integers{e: e, s: e.newDomain(phones, nil), size: phones, width: widthPhone, back: back, kind: phone{}}, nil
}

func (phone) read(v []byte) (rank, extra uint64, rule string) {
	if rank, ok := plainPhone(v); ok {
		return rank, 0, ""
	}
	var buf [widthPhone]byte
	full, err := identifier.AppendCanonical(buf[:0], identifier.Mobile, v)
	if err != nil {
		return 0, 0, rulePhone
	}
	rank, ok := plainPhone(full)
	if !ok {
		return 0, 0, rulePhone
	}
	return rank, 0, ""
}

// plainPhone reads eleven digits that begin with 13 to 19.
func plainPhone(v []byte) (uint64, bool) {
	if len(v) != widthPhone || v[0] != '1' || v[1] < '3' || v[1] > '9' {
		return 0, false
	}
	rank, odd := uint64(v[1]-'3'), false
	for _, c := range v[2:] {
		odd = odd || c-'0' > 9
		rank = rank*10 + uint64(c-'0')
	}
	return rank, !odd
}

func (phone) write(dst []byte, rank, _ uint64) ([]byte, string) {
	var b [widthPhone]byte
	for i := widthPhone - 1; i > 1; i-- {
		b[i] = byte('0' + rank%10)
		rank /= 10
	}
	b[0], b[1] = '1', byte('3'+rank)
	return append(dst, b[:]...), ""
}
