package ceremony

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/compute/he/threshold"
)

// produce makes the own messages of a round and moves to it.
func (m *Machine) produce(r Round) error {
	body, attached, err := m.body(r)
	if err != nil {
		return fmt.Errorf("make message of round %d: %w", r, err)
	}
	if r == RoundNonce {
		for h := 1; h <= m.sharing.Holders(); h++ {
			if sealed, ok := m.secret.sealed[h]; ok {
				if err := m.send(slot{r, m.self, h}, sealed, nil); err != nil {
					return err
				}
			}
		}
	}
	if err := m.send(slot{r, m.self, ToAll}, body, attached); err != nil {
		return err
	}
	m.round = r
	return nil
}

// send signs a message unless it was made before.
func (m *Machine) send(s slot, body []byte, attached [][]byte) error {
	made := m.own[s]
	if made == nil {
		made = m.mine[s]
	}
	if made == nil || !bytes.Equal(made.Body, body) {
		msg := &Message{Ceremony: m.id, Round: s.round, From: s.from, To: s.to, Body: body, Attached: attached}
		var err error
		if msg.Sig, err = m.cfg.Signer.Sign(msg.SigningBytes()); err != nil {
			return fmt.Errorf("sign message of round %d: %w", s.round, err)
		}
		if made != nil {
			m.twice(made, msg)
			return nil
		}
		made = msg
	}
	if m.own[s] == nil {
		m.own[s] = made
		m.sent = append(m.sent, made)
		m.fresh = append(m.fresh, made)
	}
	return nil
}

func (m *Machine) body(r Round) (body []byte, attached [][]byte, err error) {
	if r > RoundCommit {
		attached = m.echoSignatures(r)
	}
	switch r {
	case RoundCommit:
		return m.writeCommit(), nil, nil
	case RoundNonce:
		w := &writer{b: m.echoOf(RoundCommit)}
		w.hash(m.secret.nonce)
		return w.b, attached, nil
	case RoundShadow:
		body, err = m.writeShadow(func(c *contribution) [32]byte { return c.shadow })
	case RoundReveal:
		body, err = m.writeReveal(func(c *contribution) []byte { return c.one })
	case RoundRelinShadow:
		body, err = m.writeShadow(func(c *contribution) [32]byte { return c.shade2 })
	case RoundRelinReveal:
		body, err = m.writeReveal(func(c *contribution) []byte { return c.two })
	case RoundTrial:
		body, err = m.writeTrial()
	case RoundSign:
		var msg, sig []byte
		if msg, err = m.view.cert.SigningBytes(); err != nil {
			return nil, nil, err
		}
		if sig, err = m.cfg.Signer.Sign(msg); err != nil {
			return nil, nil, fmt.Errorf("sign certificate: %w", err)
		}
		w := &writer{b: m.echo()}
		w.hash(m.view.key)
		return w.b, append(attached, sig), nil
	}
	return body, attached, err
}

func (m *Machine) writeTrial() ([]byte, error) {
	answers, err := m.view.share.Open(m.view.test.openings)
	if err != nil {
		return nil, err
	}
	b, err := threshold.MarshalAnswers(m.cfg.Params, m.sharing, m.self, m.view.test.list, answers)
	if err != nil {
		return nil, err
	}
	return append(m.echo(), b...), nil
}

// echo repeats the hashes of the round just absorbed.
func (m *Machine) echo() []byte { return m.echoOf(m.round) }

func (m *Machine) echoOf(r Round) []byte {
	w := &writer{}
	for h := 1; h <= m.sharing.Holders(); h++ {
		w.hash(m.sum(m.record(r, h)))
	}
	return w.b
}

func (m *Machine) echoSignatures(r Round) [][]byte {
	var list [][]byte
	for h := 1; h <= m.sharing.Holders(); h++ {
		list = append(list, m.record(m.before(r), h).Sig)
	}
	return list
}

// before is the round before.
func (m *Machine) before(r Round) Round {
	if r == RoundTrial && m.cfg.Proposal.Use == UseAdd {
		return RoundReveal
	}
	return r - 1
}

// record is a holder's broadcast of a round, or nil.
func (m *Machine) record(r Round, holder int) *Message {
	s := slot{r, holder, ToAll}
	if holder == m.self {
		return m.own[s]
	}
	return m.got[s]
}

// echoes compares what others say of the previous round with what this holder
// read. A difference with a valid signature shows two messages of one sender; one
// without is a message altered on the way, and dropped. It reports whether the
// round may be absorbed.
func (m *Machine) echoes() bool {
	if m.round == RoundCommit {
		return true
	}
	ok := true
	for h := 1; h <= m.sharing.Holders(); h++ {
		if h == m.self {
			continue
		}
		in := m.record(m.round, h)
		proof, fits := m.compare(in)
		if proof != nil {
			m.equivocated(proof[0], proof[1])
			return false
		}
		if !fits {
			m.drop(in)
			ok = false
		}
	}
	return ok
}

// compare gives two claims of one sender if a message's echo proves them, and
// whether the echo fits what was read. A body too short for it is left to the
// reader of the round.
func (m *Machine) compare(in *Message) (proof []claim, fits bool) {
	if in.Round <= RoundCommit || len(in.Body) < 32*m.sharing.Holders() {
		return nil, true
	}
	for j := 1; j <= m.sharing.Holders(); j++ {
		rec := m.record(m.before(in.Round), j)
		if rec == nil {
			continue
		}
		said := [32]byte(in.Body[32*(j-1):])
		if said == m.sum(rec) {
			continue
		}
		if len(in.Attached) < j {
			return nil, false
		}
		other := claim{rec.slot(), said, in.Attached[j-1]}
		if !m.verifyClaim(other) {
			return nil, false
		}
		return []claim{m.claimOf(rec), other}, true
	}
	return nil, true
}

// drop forgets a message that was altered on the way, so that it may come again.
func (m *Machine) drop(in *Message) {
	delete(m.got, in.slot())
	delete(m.sums, in)
	m.log = slices.DeleteFunc(m.log, func(l *Message) bool { return l == in })
	m.rejected = append(m.rejected, Rejection{-1, "attached signature"})
}

// sum is the hash of a kept message's body, computed once.
func (m *Machine) sum(in *Message) [32]byte {
	sum, ok := m.sums[in]
	if !ok {
		sum = sm3.Sum(in.Body)
		m.sums[in] = sum
	}
	return sum
}
