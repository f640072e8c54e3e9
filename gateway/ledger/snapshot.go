package ledger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	snapshotVersion = 1
	snapshotHead    = 1 + 8 + 8 + 8 + 4 + 8 + 8
	accountSize     = 1 + 16 + 4 + 8
	storedSize      = 16 + 8 + 16 + 8
)

// Snapshot is the spent state in canonical order; what is only held is not in it.
// It belongs to the log size it returns, and must not be changed: the ledger works on it.
func (l *Ledger) Snapshot() (size uint64, state []byte) {
	c := l.Capture()
	return c.Size, c.AppendTo(nil)
}

// Capture is a state of a ledger that goes on. AppendTo must follow: until then no other capture begins.
type Capture struct {
	// Size is the number of frames applied.
	Size uint64

	ledger   *Ledger
	head     []byte
	accounts []Charge // and what was spent
	keys     *frozen
}

// Capture takes the state of this moment. It holds up the ledger for as long as it takes to copy accounts.
func (l *Ledger) Capture() *Capture {
	l.capturing.Lock()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &Capture{Size: l.size, ledger: l, keys: l.keys.freeze()}
	c.head = binary.BigEndian.AppendUint64([]byte{snapshotVersion}, l.size)
	c.head = binary.BigEndian.AppendUint64(c.head, uint64(l.time))
	c.head = binary.BigEndian.AppendUint64(c.head, l.serial)
	c.head = binary.BigEndian.AppendUint32(c.head, uint32(l.pruned))
	c.accounts = make([]Charge, 0, len(l.accounts))
	for a, b := range l.accounts {
		if b.spent != 0 {
			c.accounts = append(c.accounts, Charge{Account: a, Amount: b.spent})
		}
	}
	return c
}

// Most is an upper bound on what AppendTo appends, in bytes.
func (c *Capture) Most() int {
	return snapshotHead + len(c.accounts)*accountSize + c.keys.most()*storedSize
}

// AppendTo appends the state and lets the ledger work on the bytes: they must not be changed afterwards.
// It is called once.
func (c *Capture) AppendTo(b []byte) []byte {
	defer c.ledger.capturing.Unlock()
	slices.SortFunc(c.accounts, func(a, b Charge) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Scope[:], b.Scope[:]), cmp.Compare(a.Period, b.Period))
	})
	b = slices.Grow(b, c.Most())
	b = append(b, c.head...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(c.accounts)))
	count := len(b)
	b = append(b, make([]byte, 8)...)
	for _, a := range c.accounts {
		b = append(b, byte(a.Kind))
		b = append(b, a.Scope[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(a.Period))
		b = binary.BigEndian.AppendUint64(b, uint64(a.Amount))
	}
	from := len(b)
	b = c.keys.appendTo(b)
	base := index(b[from:len(b):len(b)])
	binary.BigEndian.PutUint64(b[count:], uint64(base.len()))
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.ledger.keys.settle(base)
	return b
}

// Digest identifies the spent state: equal for ledgers that applied the same frames.
func (l *Ledger) Digest() [32]byte {
	_, state := l.Snapshot()
	return sha256.Sum256(state)
}

// Restore reads a snapshot and keeps the bytes: they must not be changed. The caller has checked that it
// is bound to the log.
func Restore(state []byte) (*Ledger, error) {
	if len(state) < snapshotHead || state[0] != snapshotVersion {
		return nil, fmt.Errorf("ledger: snapshot head: %w", ErrRecord)
	}
	l := New()
	l.size = binary.BigEndian.Uint64(state[1:])
	l.time = int64(binary.BigEndian.Uint64(state[9:]))
	l.serial = binary.BigEndian.Uint64(state[17:])
	l.pruned = int32(binary.BigEndian.Uint32(state[25:]))
	na, nk := binary.BigEndian.Uint64(state[29:]), binary.BigEndian.Uint64(state[37:])
	b := state[snapshotHead:]
	room := uint64(len(b))
	if na > room/accountSize || nk > room/storedSize || na*accountSize+nk*storedSize != room {
		return nil, fmt.Errorf("ledger: snapshot length: %w", ErrRecord)
	}
	for range na {
		a := Account{Kind: AccountKind(b[0]), Period: int32(binary.BigEndian.Uint32(b[17:]))}
		copy(a.Scope[:], b[1:])
		l.accounts[a] = balance{spent: int64(binary.BigEndian.Uint64(b[21:]))}
		b = b[accountSize:]
	}
	var err error
	if l.keys.base, err = newSorted(b); err != nil {
		return nil, fmt.Errorf("ledger: snapshot keys: %w", ErrRecord)
	}
	return l, nil
}
