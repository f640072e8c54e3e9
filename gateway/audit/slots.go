package audit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// The second path is one file of two slots. A slot has 4096 bytes: magic and
// version (4), length (4), sequence (8), checkpoint, SM3 of all that. Writes go
// to one slot until it is synced, then to the other, so that one slot always
// holds a synced checkpoint, whatever becomes of the other.
const (
	slotsFile  = "checkpoints"
	slotMagic  = "YLC\x01"
	slotSize   = 4096
	slotHeader = 16
	maxSlot    = slotSize - slotHeader - HashSize
)

type slots struct {
	st   storage
	path string

	mu     sync.Mutex
	f      file
	seq    uint64
	active int
	dirty  bool
}

func encodeSlot(seq uint64, text []byte) ([]byte, error) {
	if len(text) > maxSlot {
		return nil, fmt.Errorf("write second path: checkpoint is longer than %d bytes", maxSlot)
	}
	b := make([]byte, 0, slotSize)
	b = append(b, slotMagic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = binary.BigEndian.AppendUint64(b, seq)
	b = append(b, text...)
	sum := HashOf(b)
	return append(b, sum[:]...), nil
}

// parseSlot gives sequence and text of a whole slot.
func parseSlot(b []byte) (uint64, []byte, bool) {
	if len(b) < slotHeader+HashSize || string(b[:4]) != slotMagic {
		return 0, nil, false
	}
	n := int64(binary.BigEndian.Uint32(b[4:8]))
	if n > maxSlot || int64(len(b)) < slotHeader+n+HashSize {
		return 0, nil, false
	}
	sum := HashOf(b[:slotHeader+n])
	if !bytes.Equal(sum[:], b[slotHeader+n:slotHeader+n+HashSize]) {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(b[8:16]), b[slotHeader : slotHeader+n], true
}

// readSlots gives the valid checkpoints of the second path, the newest first.
// found tells whether there is a file at all.
func readSlots(o *Options) (cps []*Checkpoint, seq uint64, active int, found bool, err error) {
	b, err := readFile(o.store, filepath.Join(o.CheckpointDir, slotsFile), 2*slotSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, 0, false, nil
	}
	if err != nil {
		return nil, 0, 0, true, fmt.Errorf("read second path: %w", err)
	}
	for i := range 2 {
		from := min(i*slotSize, len(b))
		n, text, ok := parseSlot(b[from:min(from+slotSize, len(b))])
		if !ok {
			continue
		}
		cp, err := ParseCheckpoint(text, o.Origin, o.KeyName, o.Verify)
		if err != nil {
			continue
		}
		if len(cps) == 0 || n > seq {
			cps, seq, active = append([]*Checkpoint{cp}, cps...), n, i
			continue
		}
		cps = append(cps, cp)
	}
	return cps, seq, active, true, nil
}

// createSlots makes the file with one checkpoint in both slots, at once.
func createSlots(o *Options, cp *Checkpoint) error {
	slot, err := encodeSlot(0, cp.Text)
	if err != nil {
		return err
	}
	b := make([]byte, 2*slotSize)
	copy(b, slot)
	copy(b[slotSize:], slot)
	if err := replaceFile(o.store, filepath.Join(o.CheckpointDir, slotsFile), b, true); err != nil {
		return fmt.Errorf("make second path: %w", err)
	}
	if err := o.store.SyncDir(o.CheckpointDir); err != nil {
		return fmt.Errorf("make second path: %w", err)
	}
	return nil
}

// openSlots opens the file for writing; the slot after the newest is next.
func openSlots(o *Options, seq uint64, newest int) (*slots, error) {
	s := &slots{st: o.store, path: filepath.Join(o.CheckpointDir, slotsFile), seq: seq, active: 1 - newest}
	var err error
	if s.f, err = s.st.OpenFile(s.path, os.O_RDWR); err != nil {
		return nil, fmt.Errorf("open second path: %w", err)
	}
	return s, nil
}

// write hands a checkpoint to the second path; sync makes it durable.
func (s *slots) write(cp *Checkpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	b, err := encodeSlot(s.seq, cp.Text)
	if err != nil {
		return err
	}
	s.dirty = true
	if _, err := s.f.WriteAt(b, int64(s.active)*slotSize); err != nil {
		return fmt.Errorf("write second path: %w", bare(err))
	}
	return nil
}

// sync makes the last checkpoint durable and turns to the other slot. Writes
// wait for it: the slot being synced must not change.
func (s *slots) sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty {
		return nil
	}
	if err := s.f.Sync(); err != nil {
		return fmt.Errorf("sync second path: %w", err)
	}
	s.dirty = false
	s.active = 1 - s.active
	return nil
}

func (s *slots) close() error { return s.f.Close() }
