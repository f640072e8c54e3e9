package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
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

// load reads the index, and leaves its end where the next record goes.
func (l *Lane) load() error {
	b, err := io.ReadAll(io.LimitReader(l.index, int64(headSize)+maxBatches*recordSize+1))
	if err != nil {
		return err
	}
	head := l.head()
	if len(b) < headSize { // made by a start that a crash cut off
		if !bytes.HasPrefix(head, b) {
			return fmt.Errorf("%w: index", ErrDamaged)
		}
		return l.restart(head)
	}
	if !bytes.Equal(b[:headSize], head) {
		if bytes.HasPrefix(b, []byte(magic)) {
			return fmt.Errorf("%w: another key", ErrTaken)
		}
		return fmt.Errorf("%w: index", ErrDamaged)
	}
	good := l.records(b[headSize:])
	if err := l.whole(); err != nil {
		return err
	}
	return l.end(int64(headSize + good))
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
	info, err := l.data.Stat()
	if err != nil {
		return err
	}
	for batch := range l.hashes {
		if info.Size() < (int64(batch)+1)*int64(l.params.LeafSize()) {
			return fmt.Errorf("%w: leaves are cut short", ErrDamaged)
		}
	}
	return nil
}

func (l *Lane) restart(head []byte) error {
	if err := l.end(0); err != nil {
		return err
	}
	if _, err := l.index.Write(head); err != nil {
		return err
	}
	return l.index.Sync()
}

func (l *Lane) end(at int64) error {
	if err := l.index.Truncate(at); err != nil {
		return err
	}
	_, err := l.index.Seek(at, io.SeekStart)
	return err
}

// commit makes the pending leaves durable, then their records.
func (l *Lane) commit() error {
	if err := l.data.Sync(); err != nil {
		return err
	}
	at, err := l.index.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	var b []byte
	for batch, hash := range l.pending {
		b = append(b, record(batch, hash)...)
	}
	if _, err = l.index.Write(b); err == nil {
		err = l.index.Sync()
	}
	if err != nil { // the records may or may not be there: take them back
		return errors.Join(err, l.end(at))
	}
	return nil
}

func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}
