package ceremony

import (
	"fmt"

	"github.com/emmansun/gmsm/sm3"
)

// Round is a step of the ceremony.
type Round uint8

// The rounds. Those of the relinearisation key are skipped for sums.
const (
	RoundAbort       Round = 0
	RoundCommit      Round = 1 // commitments to nonce, seed shares and sealed payloads
	RoundNonce       Round = 2 // the nonce; privately the seed shares, sealed
	RoundShadow      Round = 3 // hashes of the contributions to public key and first relinearisation round
	RoundReveal      Round = 4 // those contributions
	RoundRelinShadow Round = 5 // hashes of the contributions to the second relinearisation round
	RoundRelinReveal Round = 6 // those contributions
	RoundTrial       Round = 7 // answers to an encryption of a test value
	RoundSign        Round = 8 // signatures of the certificate
	roundEnd         Round = 9
)

// ToAll addresses a message to every holder.
const ToAll = 0

const (
	messagePrefix = "YHCM\x01"
	messageDomain = "yumen ceremony message 1"
	maxBody       = 1 << 26
	maxAttached   = 16
)

// Message is one signed message, relayed by the gateway. Body is fixed by the
// sender's secrets and by what it has read; Attached are signatures of others, or
// of the certificate, which prove themselves and may differ from run to run. Sig
// is over SigningBytes: ceremony, slot and body.
type Message struct {
	Ceremony [32]byte
	Round    Round
	From, To int // points 1 to n; To is ToAll or one holder
	Body     []byte
	Attached [][]byte
	Sig      []byte
}

// slot is the place of a message: at most one body may stand there.
type slot struct {
	round    Round
	from, to int
}

func (m *Message) slot() slot { return slot{m.Round, m.From, m.To} }

// SigningBytes is what the sender signs.
func (m *Message) SigningBytes() []byte {
	return signingBytes(m.Ceremony, m.slot(), sm3.Sum(m.Body))
}

func signingBytes(ceremony [32]byte, s slot, body [32]byte) []byte {
	w := &writer{}
	w.raw([]byte(messageDomain))
	w.hash(ceremony)
	w.u8(int(s.round))
	w.u8(s.from)
	w.u8(s.to)
	w.hash(body)
	return w.b
}

// Bytes is the canonical form.
func (m *Message) Bytes() ([]byte, error) {
	if m.Round >= roundEnd || m.From < 1 || m.From > 255 || m.To < 0 || m.To > 255 ||
		len(m.Body) > maxBody || len(m.Attached) > maxAttached || len(m.Sig) > maxSignature {
		return nil, fmt.Errorf("%w: message out of bounds", ErrMalformed)
	}
	w := &writer{b: make([]byte, 0, 128+len(m.Body))}
	w.raw([]byte(messagePrefix))
	w.hash(m.Ceremony)
	w.u8(int(m.Round))
	w.u8(m.From)
	w.u8(m.To)
	w.bytes(m.Body)
	w.u8(len(m.Attached))
	for _, a := range m.Attached {
		if len(a) > maxSignature {
			return nil, fmt.Errorf("%w: message out of bounds", ErrMalformed)
		}
		w.bytes(a)
	}
	w.bytes(m.Sig)
	return w.b, nil
}

// ParseMessage accepts the canonical form only. It verifies nothing.
func ParseMessage(b []byte) (*Message, error) {
	r := &reader{b: b}
	r.expect(messagePrefix)
	m := &Message{Ceremony: r.hash(), Round: Round(r.u8()), From: r.u8(), To: r.u8(), Body: r.bytes(maxBody)}
	for range r.count(0, maxAttached) {
		m.Attached = append(m.Attached, r.bytes(maxSignature))
	}
	m.Sig = r.bytes(maxSignature)
	if !r.done() || m.Round >= roundEnd || m.From < 1 {
		return nil, fmt.Errorf("%w: message", ErrMalformed)
	}
	return m, nil
}
