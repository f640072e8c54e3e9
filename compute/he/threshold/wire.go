package threshold

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/emmansun/gmsm/sm3"
	"github.com/yumen-project/yumen/compute/he"
)

const (
	answersKind    = "YHTA"
	answersVersion = 1
	answersHeader  = 4 + 1 + 32 + 32 + 3 + 4
	// MaxOpenings bounds one list of openings.
	MaxOpenings = 1 << 20
)

// ListHash binds a list of openings: SM3 over domain, parameter id, count and,
// per opening, limb, B and the hash of its keys and A. It is what the holders
// approve and what their answers name.
func ListHash(p *he.Parameters, openings []*he.Opening) ([32]byte, error) {
	id := p.ID()
	h := sm3.New()
	h.Write([]byte("yumen threshold openings 1"))
	h.Write(id[:])
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(openings))))
	for i, o := range openings {
		if err := checkOpening(p, o); err != nil {
			return [32]byte{}, fmt.Errorf("opening %d: %w", i, err)
		}
		sample := sampleID(p, o)
		h.Write([]byte{uint8(o.Limb)})
		for _, x := range o.B {
			h.Write(binary.BigEndian.AppendUint64(nil, x))
		}
		h.Write(sample[:])
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum, nil
}

// PartSize is the number of bytes of one part: the residues in turn, each in the
// bits of its prime, filled with zero bits to whole bytes. 14 for sums.
func PartSize(p *he.Parameters) int {
	n := 0
	for _, q := range p.Q() {
		n += bits.Len64(q)
	}
	return (n + 7) / 8
}

// AnswersSize is the number of bytes of a holder's answers.
func AnswersSize(p *he.Parameters, s Sharing, holder, openings int) int {
	return answersHeader + openings*len(s.Of(holder))*PartSize(p)
}

// MarshalAnswers is the canonical form of a holder's answers to a list of
// openings with the given hash (ListHash, or whatever else names the list):
// kind, version, parameter id, hash, n, t, holder, count, parts. It is neither
// signed nor sealed.
func MarshalAnswers(p *he.Parameters, s Sharing, holder int, list [32]byte, answers []Answer) ([]byte, error) {
	if len(answers) > MaxOpenings || !s.valid(holder) {
		return nil, fmt.Errorf("%w: %d answers of point %d", ErrMalformed, len(answers), holder)
	}
	if err := checkAnswers(p, s, holder, len(answers), answers); err != nil {
		return nil, err
	}
	b := make([]byte, 0, AnswersSize(p, s, holder, len(answers)))
	b = appendAnswersHeader(b, p, s, holder, list, len(answers))
	q := p.Q()
	for _, a := range answers {
		for _, part := range a.Parts {
			b = appendPart(b, q, part.Value)
		}
	}
	return b, nil
}

func appendAnswersHeader(b []byte, p *he.Parameters, s Sharing, holder int, list [32]byte, count int) []byte {
	id := p.ID()
	b = append(append(b, answersKind...), answersVersion)
	b = append(append(b, id[:]...), list[:]...)
	b = append(b, uint8(s.n), uint8(s.t), uint8(holder))
	return binary.BigEndian.AppendUint32(b, uint32(count))
}

// ParseAnswers accepts the canonical form only, of this holder, to this list of
// so many openings.
func ParseAnswers(p *he.Parameters, s Sharing, holder int, list [32]byte, openings int, b []byte) ([]Answer, error) {
	if openings < 0 || openings > MaxOpenings || !s.valid(holder) {
		return nil, fmt.Errorf("%w: %d answers of point %d", ErrMalformed, openings, holder)
	}
	if len(b) != AnswersSize(p, s, holder, openings) {
		return nil, fmt.Errorf("%w: answers of holder %d of %d bytes", ErrMalformed, holder, len(b))
	}
	head := appendAnswersHeader(nil, p, s, holder, list, openings)
	if !bytes.Equal(b[:answersHeader], head) {
		return nil, fmt.Errorf("%w: answers of holder %d to something else", ErrMismatch, holder)
	}
	b = b[answersHeader:]
	q, known, size := p.Q(), s.Of(holder), PartSize(p)
	answers := make([]Answer, openings)
	for i := range answers {
		answers[i].Parts = make([]Part, len(known))
		for k, c := range known {
			value, ok := readPart(b[:size], q)
			if !ok {
				return nil, fmt.Errorf("%w: holder %d, answer %d, part %d", ErrMalformed, holder, i, k)
			}
			answers[i].Parts[k] = Part{c, value}
			b = b[size:]
		}
	}
	return answers, nil
}

// appendPart packs residues, least significant bit first.
func appendPart(b []byte, q, value []uint64) []byte {
	var word uint64
	fill := 0
	for i, x := range value {
		for left := bits.Len64(q[i]); left > 0; {
			n := min(left, 8-fill)
			word |= x & (1<<n - 1) << fill
			x >>= n
			left -= n
			if fill += n; fill == 8 {
				b = append(b, uint8(word))
				word, fill = 0, 0
			}
		}
	}
	if fill > 0 {
		b = append(b, uint8(word))
	}
	return b
}

// readPart is the inverse; it refuses residues not below their prime and filling
// bits that are not zero.
func readPart(b []byte, q []uint64) ([]uint64, bool) {
	value := make([]uint64, len(q))
	at := 0
	for i, prime := range q {
		for k := range bits.Len64(prime) {
			value[i] |= uint64(b[at>>3]>>(at&7)&1) << k
			at++
		}
		if value[i] >= prime {
			return nil, false
		}
	}
	return value, at&7 == 0 || b[at>>3]>>(at&7) == 0
}
