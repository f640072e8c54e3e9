package encrypted

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// Event is one thing that can be polled, in the order in which it came.
type Event struct {
	Kind   Kind
	Hash   Hash
	Thread Hash   // proposal or query it belongs to; its own hash for those
	Index  uint64 // entry of the log; 0 for messages of ceremonies
	// Released: Index is the entry that released the plan.
	Released bool
	// Cursor is past this event.
	Cursor uint64

	slot slot
	file Hash
}

// slot is the place of a ceremony's message.
type slot struct{ round, from, to uint8 }

// journal is an append-only file of events; the position of an event is its cursor.
// A tail that a crash cut off does not count.
type journal struct {
	f      *os.File
	events []Event
}

const (
	journalMagic = "YMJ\x01"
	eventSize    = 1 + 32 + 32 + 8 + 1 + 3 + 32 + 4
	maxEvents    = 1 << 22
)

func (e *Event) appendTo(b []byte) []byte {
	at := len(b)
	b = append(b, byte(e.Kind))
	b = append(b, e.Hash[:]...)
	b = append(b, e.Thread[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Index)
	b = append(b, flag(e.Released), e.slot.round, e.slot.from, e.slot.to)
	b = append(b, e.file[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func parseEvent(b []byte) (Event, bool) {
	if crc32.ChecksumIEEE(b[:eventSize-4]) != binary.BigEndian.Uint32(b[eventSize-4:]) {
		return Event{}, false
	}
	return Event{
		Kind: Kind(b[0]), Hash: Hash(b[1:33]), Thread: Hash(b[33:65]), Index: binary.BigEndian.Uint64(b[65:73]), Released: b[73] == 1,
		slot: slot{b[74], b[75], b[76]}, file: Hash(b[77:109]),
	}, true
}

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", bare(err))
	}
	j := &journal{f: f}
	if err := j.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", bare(err)), f.Close())
	}
	return j, nil
}

func (j *journal) load() error {
	b, err := io.ReadAll(io.LimitReader(j.f, maxEvents*eventSize+int64(len(journalMagic))))
	if err != nil {
		return err
	}
	at := len(journalMagic)
	if len(b) < at || string(b[:at]) != journalMagic {
		if err := j.f.Truncate(0); err != nil {
			return err
		}
		if _, err := j.f.WriteAt([]byte(journalMagic), 0); err != nil {
			return err
		}
		b = nil
	}
	for ; at+eventSize <= len(b); at += eventSize {
		e, ok := parseEvent(b[at : at+eventSize])
		if !ok {
			break
		}
		j.events = append(j.events, e)
	}
	if err := j.f.Truncate(int64(at)); err != nil {
		return err
	}
	if _, err := j.f.Seek(int64(at), io.SeekStart); err != nil {
		return err
	}
	return j.f.Sync()
}

// add makes events durable, all or none.
func (j *journal) add(events ...Event) error {
	if len(j.events)+len(events) > maxEvents {
		return ErrFull
	}
	var b []byte
	for i := range events {
		b = events[i].appendTo(b)
	}
	at := int64(len(journalMagic) + len(j.events)*eventSize)
	_, err := j.f.WriteAt(b, at)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write journal: %w", bare(err)), j.f.Truncate(at))
	}
	j.events = append(j.events, events...)
	return nil
}
