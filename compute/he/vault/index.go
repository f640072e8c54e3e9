package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
)

// The index: a head that names parameters, key and lane, then one record a
// leaf: batch, hash, check sum. A record that a crash cut off, and all after
// it, do not count.
const (
	magic      = "yumen leaf index 1\n"
	headSize   = len(magic) + 3*32
	recordSize = 4 + 32 + 4
)

func (l *Lane) head() []byte {
	id := l.params.ID()
	return slices.Concat([]byte(magic), id[:], l.key[:], l.id[:])
}

func record(batch uint32, hash [32]byte) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, recordSize), batch)
	b = append(b, hash[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// load reads the index, and notes its end, where the next record goes.
func (l *Lane) load(index file) error {
	b, err := io.ReadAll(io.NewSectionReader(index, 0, int64(headSize)+maxBatches*recordSize))
	if err != nil {
		return err
	}
	head := l.head()
	if len(b) < headSize { // made by a start that a crash cut off
		if !bytes.HasPrefix(head, b) {
			return fmt.Errorf("%w: index", ErrDamaged)
		}
		l.end = int64(headSize)
		return rewrite(index, 0, head)
	}
	if !bytes.Equal(b[:headSize], head) {
		if bytes.HasPrefix(b, []byte(magic)) {
			return fmt.Errorf("%w: another key", ErrTaken)
		}
		return fmt.Errorf("%w: index", ErrDamaged)
	}
	l.end = int64(headSize + l.records(b[headSize:]))
	if err := l.whole(); err != nil {
		return err
	}
	return index.Truncate(l.end)
}

// records takes up whole records and says how many bytes they are.
func (l *Lane) records(b []byte) int {
	at := 0
	for ; at+recordSize <= len(b); at += recordSize {
		r := b[at : at+recordSize]
		batch := binary.BigEndian.Uint32(r)
		if crc32.ChecksumIEEE(r[:36]) != binary.BigEndian.Uint32(r[36:]) || batch >= maxBatches {
			break
		}
		l.hashes[batch] = [32]byte(r[4:36])
	}
	return at
}

// whole refuses an index of leaves that the data file is too short for.
func (l *Lane) whole() error {
	var size int64
	err := with(l.vault.disk, l.data(), func(f file) (err error) {
		size, err = f.Size()
		return err
	})
	if err != nil {
		return err
	}
	for batch := range l.hashes {
		if size < (int64(batch)+1)*int64(l.params.LeafSize()) {
			return fmt.Errorf("%w: leaves are cut short", ErrDamaged)
		}
	}
	return nil
}

// commit makes the pending leaves durable, then their records. Linux tells an error
// of writing back to the next who syncs, whoever wrote.
func (l *Lane) commit() error {
	if err := with(l.vault.disk, l.data(), file.Sync); err != nil {
		return err
	}
	var b []byte
	for _, batch := range slices.Sorted(maps.Keys(l.pending)) {
		b = append(b, record(batch, l.pending[batch])...)
	}
	err := with(l.vault.disk, l.index(), func(f file) error { return rewrite(f, l.end, b) })
	if err == nil {
		l.end += int64(len(b))
	}
	return err
}

// rewrite puts b in place of all from at on, durably; after an error nothing is there
// if the disk can still be told so, and the next write will be in its place anyhow.
func rewrite(f file, at int64, b []byte) error {
	err := f.Truncate(at)
	if err == nil {
		_, err = f.WriteAt(b, at)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(at))
	}
	return nil
}
