package ceremony

import (
	"fmt"
	"log/slog"
	"slices"
)

// State is a machine's whole memory, with its secrets, in clear: seal it before
// it touches a disk. It prints as [key].
type State []byte

// String hides the state.
func (State) String() string { return "[key]" }

// GoString hides the state.
func (State) GoString() string { return "[key]" }

// LogValue hides the state.
func (State) LogValue() slog.Value { return slog.StringValue("[key]") }

// MarshalJSON hides the state.
func (State) MarshalJSON() ([]byte, error) { return []byte(`"[key]"`), nil }

const (
	statePrefix = "YHCS\x01"
	maxMessages = 1 << 12
	maxMessage  = maxBody + 1<<13
)

// State is the canonical form: prefix, ceremony, point, secrets, messages made,
// messages taken in their order. Everything else follows from it.
func (m *Machine) State() (State, error) {
	w := &writer{}
	w.raw([]byte(statePrefix))
	w.hash(m.id)
	w.u8(m.self)
	w.hash(m.secret.nonce)
	for _, c := range m.sharing.Of(m.self) {
		w.hash(m.secret.shares[c])
	}
	for h := 1; h <= m.sharing.Holders(); h++ {
		if sealed, ok := m.secret.sealed[h]; ok {
			w.bytes(sealed)
		}
	}
	for _, list := range [][]*Message{m.sent, m.log} {
		w.u32(len(list))
		for _, msg := range list {
			b, err := msg.Bytes()
			if err != nil {
				return nil, err
			}
			w.bytes(b)
		}
	}
	return w.b, nil
}

// Resume restores a machine from a State of the same ceremony and holder. It
// reads no randomness and makes no message that was not made before, except
// what the saved inbox asks for; Sent gives what may have to be sent again.
func Resume(cfg Config, state State) (*Machine, error) {
	m, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	taken, err := m.readState(state)
	if err != nil {
		return nil, err
	}
	if err := m.produce(RoundCommit); err != nil {
		return nil, err
	}
	for _, in := range taken {
		m.accept(in)
		if err := m.flow(); err != nil {
			return nil, err
		}
	}
	m.fresh, m.rejected = nil, nil
	return m, nil
}

func (m *Machine) readState(state State) (taken []*Message, err error) {
	r := &reader{b: state}
	r.expect(statePrefix)
	if r.hash() != m.id || r.u8() != m.self || r.bad {
		return nil, fmt.Errorf("%w: of another ceremony, holder or version", ErrState)
	}
	m.secret = secrets{nonce: r.hash(), shares: map[int][32]byte{}, sealed: map[int][]byte{}}
	for _, c := range m.sharing.Of(m.self) {
		m.secret.shares[c] = r.hash()
	}
	for h := 1; h <= m.sharing.Holders(); h++ {
		if h != m.self && len(m.common(h)) > 0 {
			m.secret.sealed[h] = r.bytes(maxSealed)
		}
	}
	made, err := readMessages(r)
	if err != nil {
		return nil, err
	}
	if taken, err = readMessages(r); err != nil {
		return nil, err
	}
	if !r.done() {
		return nil, fmt.Errorf("%w: length", ErrState)
	}
	for _, msg := range made {
		if msg.From != m.self || msg.Ceremony != m.id || m.mine[msg.slot()] != nil {
			return nil, fmt.Errorf("%w: message of another holder", ErrState)
		}
		heard := func(in *Message) bool { return in.slot() == msg.slot() }
		if msg.Round == RoundAbort && slices.ContainsFunc(taken, heard) {
			continue // read back from the relay: it takes effect in its turn
		}
		m.mine[msg.slot()] = msg
	}
	return taken, nil
}

func readMessages(r *reader) ([]*Message, error) {
	n := r.u32()
	if r.bad || n > maxMessages {
		return nil, fmt.Errorf("%w: %d messages", ErrState, n)
	}
	var list []*Message
	for range n {
		b := r.bytes(maxMessage)
		if r.bad {
			return nil, fmt.Errorf("%w: length", ErrState)
		}
		msg, err := ParseMessage(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		list = append(list, msg)
	}
	return slices.Clip(list), nil
}
