package ceremony

import (
	"fmt"
	"io"
	"slices"
)

// secrets are drawn once, before the first message; all bodies follow from them.
type secrets struct {
	nonce  [32]byte
	shares map[int][32]byte // of the seeds of the holder's components
	sealed map[int][]byte   // the payload to each fellow, sealed at once: sealing is randomised
}

const (
	payloadPrefix = "yumen ceremony seed shares 1"
	maxSealed     = 1 << 14
)

func (m *Machine) draw() error {
	if m.cfg.Rand == nil {
		return fmt.Errorf("%w: no source of randomness", ErrProposal)
	}
	m.secret = secrets{shares: map[int][32]byte{}, sealed: map[int][]byte{}}
	if _, err := io.ReadFull(m.cfg.Rand, m.secret.nonce[:]); err != nil {
		return fmt.Errorf("draw nonce: %w", err)
	}
	for _, c := range m.sharing.Of(m.self) {
		var share [32]byte
		if _, err := io.ReadFull(m.cfg.Rand, share[:]); err != nil {
			return fmt.Errorf("draw seed share: %w", err)
		}
		m.secret.shares[c] = share
	}
	for h := 1; h <= m.sharing.Holders(); h++ {
		if h == m.self || len(m.common(h)) == 0 {
			continue
		}
		sealed, err := m.cfg.Seal(m.name(h), m.payload(h))
		if err != nil {
			return fmt.Errorf("seal to holder %d: %w", h, err)
		}
		if len(sealed) == 0 || len(sealed) > maxSealed {
			return fmt.Errorf("%w: sealed payload of %d bytes", ErrMalformed, len(sealed))
		}
		m.secret.sealed[h] = slices.Clone(sealed)
	}
	return nil
}

// payload is what a fellow gets: bound to the ceremony and both ends.
func (m *Machine) payload(to int) []byte {
	w := &writer{}
	w.raw([]byte(payloadPrefix))
	w.hash(m.id)
	w.u8(m.self)
	w.u8(to)
	for _, c := range m.common(to) {
		w.hash(m.secret.shares[c])
	}
	return w.b
}

func (m *Machine) readPayload(from int, plain []byte) (map[int][32]byte, bool) {
	r := &reader{b: plain}
	r.expect(payloadPrefix)
	id, sender, to := r.hash(), r.u8(), r.u8()
	shares := map[int][32]byte{}
	for _, c := range m.common(from) {
		shares[c] = r.hash()
	}
	return shares, r.done() && id == m.id && sender == from && to == m.self
}
