package wire

import "fmt"

// Answer is a holder's shares of all openings of a released plan, sealed to its
// requester. Sealed is an envelope to the requester's envelope key, bound to
// Context, around threshold.MarshalAnswers under the list hash Openings.
type Answer struct {
	Query, Plan, Openings [32]byte
	Holder                string
	Sealed                []byte
	Signature             []byte
}

const (
	answerPrefix  = "YHAN\x01"
	answerDomain  = "yumen encrypted answer 1"
	answerContext = "yumen encrypted answer envelope 1"
)

func (a *Answer) place() *writer {
	w := &writer{}
	for _, h := range [][32]byte{a.Query, a.Plan, a.Openings} {
		w.hash(h)
	}
	w.bytes([]byte(a.Holder))
	return w
}

// Context is what the envelope is bound to: query, plan, openings and holder.
func (a *Answer) Context() []byte { return append([]byte(answerContext), a.place().b...) }

func (a *Answer) body() ([]byte, error) {
	if !validName(a.Holder) || len(a.Sealed) == 0 || len(a.Sealed) > MaxSealed {
		return nil, fmt.Errorf("%w: answer", ErrInvalid)
	}
	w := a.place()
	w.bytes(a.Sealed)
	return w.b, nil
}

// SigningBytes is what the holder signs with its agent key.
func (a *Answer) SigningBytes() ([]byte, error) { return domained(answerDomain, a.body) }

// Hash is SM3 of SigningBytes.
func (a *Answer) Hash() ([32]byte, error) { return hashed(answerDomain, a.body) }

// Bytes is the canonical form.
func (a *Answer) Bytes() ([]byte, error) { return framed(answerPrefix, a.body, a.Signature) }

// ParseAnswer accepts the canonical form only.
func ParseAnswer(b []byte) (*Answer, error) {
	r := &reader{b: b}
	r.expect(answerPrefix)
	a := &Answer{Query: r.hash(), Plan: r.hash(), Openings: r.hash(), Holder: r.name(), Sealed: r.bytes(MaxSealed), Signature: r.signature()}
	if len(a.Sealed) == 0 {
		r.bad = true
	}
	return a, r.end("answer")
}
