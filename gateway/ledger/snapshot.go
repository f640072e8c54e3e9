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
// It belongs to the log size it returns.
func (l *Ledger) Snapshot() (size uint64, state []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	accounts := l.sortedAccounts()
	keys := make([][16]byte, 0, len(l.idem))
	for k := range l.idem {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })

	b := make([]byte, 0, snapshotHead+len(accounts)*accountSize+len(keys)*storedSize)
	b = append(b, snapshotVersion)
	b = binary.BigEndian.AppendUint64(b, l.size)
	b = binary.BigEndian.AppendUint64(b, uint64(l.time))
	b = binary.BigEndian.AppendUint64(b, l.serial)
	b = binary.BigEndian.AppendUint32(b, uint32(l.pruned))
	b = binary.BigEndian.AppendUint64(b, uint64(len(accounts)))
	b = binary.BigEndian.AppendUint64(b, uint64(len(keys)))
	for _, a := range accounts {
		b = append(b, byte(a.Kind))
		b = append(b, a.Scope[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(a.Period))
		b = binary.BigEndian.AppendUint64(b, uint64(l.accounts[a].spent))
	}
	for _, k := range keys {
		s := l.idem[k]
		b = append(b, k[:]...)
		b = binary.BigEndian.AppendUint64(b, s.index)
		b = append(b, s.request[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(s.time))
	}
	return l.size, b
}

func (l *Ledger) sortedAccounts() []Account {
	accounts := make([]Account, 0, len(l.accounts))
	for a, b := range l.accounts {
		if b.spent != 0 {
			accounts = append(accounts, a)
		}
	}
	slices.SortFunc(accounts, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Scope[:], b.Scope[:]), cmp.Compare(a.Period, b.Period))
	})
	return accounts
}

// Digest identifies the spent state: equal for ledgers that applied the same frames.
func (l *Ledger) Digest() [32]byte {
	_, state := l.Snapshot()
	return sha256.Sum256(state)
}

// Restore reads a snapshot. The caller has checked that it is bound to the log.
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
	for range nk {
		var k [16]byte
		s := stored{index: binary.BigEndian.Uint64(b[16:]), time: int64(binary.BigEndian.Uint64(b[40:]))}
		copy(k[:], b)
		copy(s.request[:], b[24:])
		l.idem[k] = s
		b = b[storedSize:]
	}
	return l, nil
}
