package ceremony

import (
	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Every body but the first begins with the hashes of the previous round's bodies
// (broadcasts, by rising point, the sender's own included).

// digest is SM3 over a label, the ceremony and fields of fixed size or number.
func (m *Machine) digest(label string, fields ...[]byte) [32]byte {
	h := sm3.New()
	h.Write([]byte("yumen ceremony " + label + " 1"))
	h.Write(m.id[:])
	w := &writer{}
	for _, f := range fields {
		w.u32(len(f))
		h.Write(w.b)
		h.Write(f)
		w.b = w.b[:0]
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

// commitBody is what RoundCommit says.
type commitBody struct {
	nonce  [32]byte
	shares map[int][32]byte // per component of the sender
	sealed map[int][32]byte // per fellow with a common component
}

func (m *Machine) writeCommit() []byte {
	w := &writer{}
	w.hash(m.digest("nonce", []byte{byte(m.self)}, m.secret.nonce[:]))
	for _, c := range m.sharing.Of(m.self) {
		share := m.secret.shares[c]
		w.hash(m.shareDigest(m.self, c, share))
	}
	for h := 1; h <= m.sharing.Holders(); h++ {
		if sealed, ok := m.secret.sealed[h]; ok {
			w.hash(sm3.Sum(sealed))
		}
	}
	return w.b
}

func (m *Machine) shareDigest(holder, c int, share [32]byte) [32]byte {
	return m.digest("seed share", []byte{byte(holder), byte(c)}, share[:])
}

func (m *Machine) readCommit(from int, b []byte) (commitBody, bool) {
	r := &reader{b: b}
	body := commitBody{nonce: r.hash(), shares: map[int][32]byte{}, sealed: map[int][32]byte{}}
	for _, c := range m.sharing.Of(from) {
		body.shares[c] = r.hash()
	}
	for h := 1; h <= m.sharing.Holders(); h++ {
		if h != from && m.shareAny(from, h) {
			body.sealed[h] = r.hash()
		}
	}
	return body, r.done()
}

// shareAny reports whether two holders know a common component.
func (m *Machine) shareAny(a, b int) bool {
	for _, c := range m.sharing.Of(a) {
		if m.sharing.Knows(b, c) {
			return true
		}
	}
	return false
}

// shadowBody holds one hash for each component of the sender.
type shadowBody map[int][32]byte

func (m *Machine) writeShadow(pick func(c *contribution) [32]byte) ([]byte, error) {
	w := &writer{}
	w.raw(m.echo())
	for _, c := range m.sharing.Of(m.self) {
		part, err := m.contribution(c, m.view.seeds[c])
		if err != nil {
			return nil, err
		}
		w.hash(pick(part))
	}
	return w.b, nil
}

func (m *Machine) readShadow(from int, b []byte) (shadowBody, bool) {
	r := m.afterEcho(b)
	body := shadowBody{}
	for _, c := range m.sharing.Of(from) {
		body[c] = r.hash()
	}
	return body, r.done()
}

// first reports whether a holder is the first member of a component: it reveals.
func (m *Machine) first(holder, c int) bool { return m.sharing.Members(c)[0] == holder }

func (m *Machine) writeReveal(pick func(c *contribution) []byte) ([]byte, error) {
	w := &writer{}
	w.raw(m.echo())
	for _, c := range m.sharing.Of(m.self) {
		if !m.first(m.self, c) {
			continue
		}
		part, err := m.contribution(c, m.view.seeds[c])
		if err != nil {
			return nil, err
		}
		w.raw(pick(part))
	}
	return w.b, nil
}

// readReveal splits the contributions, each of the given size.
func (m *Machine) readReveal(from, size int, b []byte) (map[int][]byte, bool) {
	r := m.afterEcho(b)
	parts := map[int][]byte{}
	for _, c := range m.sharing.Of(from) {
		if m.first(from, c) {
			parts[c] = r.take(size)
		}
	}
	return parts, r.done()
}

// afterEcho is a reader of what follows the repeated hashes.
func (m *Machine) afterEcho(b []byte) *reader {
	r := &reader{b: b}
	r.take(32 * m.sharing.Holders())
	return r
}

// contribution is what a component's members say of it, as far as it can be
// known in the current round.
type contribution struct {
	one, two       []byte // revealed in RoundReveal, in RoundRelinReveal
	shadow, shade2 [32]byte
}

// contribution computes a component's contributions from its seed.
func (m *Machine) contribution(c int, seed threshold.Seed) (*contribution, error) {
	out := new(contribution)
	p := m.cfg.Params
	part, err := threshold.PublicPart(p, seed, m.view.crs)
	if err != nil {
		return nil, err
	}
	out.one = threshold.PublicPartBytes(p, part)
	if m.cfg.Proposal.Use == UseMul {
		relin, err := threshold.RelinRoundOne(p, seed, m.view.crs)
		if err != nil {
			return nil, err
		}
		out.one = append(out.one, relin.Bytes()...)
		if m.view.sum != nil {
			if relin, err = threshold.RelinRoundTwo(p, seed, m.view.crs, m.view.sum); err != nil {
				return nil, err
			}
			out.two = relin.Bytes()
			out.shade2 = m.digest("second contribution", []byte{byte(c)}, out.two)
		}
	}
	out.shadow = m.digest("contribution", []byte{byte(c)}, out.one)
	return out, nil
}

// oneSize is the number of bytes of a component's part of RoundReveal.
func (m *Machine) oneSize() int {
	n := threshold.PublicPartSize(m.cfg.Params)
	if m.cfg.Proposal.Use == UseMul {
		n += threshold.RelinPartSize(m.cfg.Params)
	}
	return n
}
