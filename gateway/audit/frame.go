package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A frame on disk, big endian:
//
//	magic and version  4   "YLF" 0x02
//	statement length   4   0: the frame holds none
//	private length     4
//	index              8
//	group              8   index of the first frame of its group commit
//	entry             80
//	statement          s
//	private            n
//	checksum           4   CRC-32C of the segment header and all of the above
//
// The checksum finds accidents; edits by design are found by the tree, since the
// entry is a leaf and holds the hash of the statement and the digest of the
// private record, each of which is thus hashed once. The digest covers the length
// of the statement too, so that a statement can be neither taken out nor put in
// where the entry's hash is of something else. A group is written only after the
// group before it was synced, so a broken frame that is followed by a frame of a
// later group was once whole.
const (
	frameMagic  = "YLF\x02"
	frameHeader = 28
	frameFixed  = frameHeader + EntrySize + 4
)

var errFrame = errors.New("malformed frame")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // shared by the library

// rawFrame is a frame as read; its slices belong to the scanner.
type rawFrame struct {
	index, group uint64
	entry        []byte
	statement    []byte // empty: none
	private      []byte
	size         int // bytes on disk
}

// appendFrame encodes a frame; salt is the checksum of the segment header.
func appendFrame(dst []byte, salt uint32, index, group uint64, entry, statement, private []byte) []byte {
	start := len(dst)
	dst = append(dst, frameMagic...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(statement)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(private)))
	dst = binary.BigEndian.AppendUint64(dst, index)
	dst = binary.BigEndian.AppendUint64(dst, group)
	dst = append(dst, entry...)
	dst = append(dst, statement...)
	dst = append(dst, private...)
	return binary.BigEndian.AppendUint32(dst, crc32.Update(salt, castagnoli(), dst[start:]))
}

// frameLength reads the header of a frame and gives its whole length.
func frameLength(b []byte) (int, error) {
	if len(b) < frameHeader || string(b[:4]) != frameMagic {
		return 0, fmt.Errorf("%w: unknown magic or version", errFrame)
	}
	statement, private := binary.BigEndian.Uint32(b[4:8]), binary.BigEndian.Uint32(b[8:12])
	switch {
	case statement > MaxStatement:
		return 0, fmt.Errorf("%w: statement too long", errFrame)
	case private > MaxPrivate:
		return 0, fmt.Errorf("%w: private record too long", errFrame)
	}
	return frameFixed + int(statement) + int(private), nil
}

// groupOf reads the group from the header of a frame.
func groupOf(b []byte) uint64 { return binary.BigEndian.Uint64(b[20:28]) }

// parseFrame reads the frame at the beginning of b.
func parseFrame(b []byte, salt uint32) (rawFrame, error) {
	var f rawFrame
	n, err := frameLength(b)
	if err != nil {
		return f, err
	}
	if len(b) < n {
		return f, fmt.Errorf("%w: cut short", errFrame)
	}
	if crc32.Update(salt, castagnoli(), b[:n-4]) != binary.BigEndian.Uint32(b[n-4:n]) {
		return f, fmt.Errorf("%w: checksum differs", errFrame)
	}
	f.index, f.group = binary.BigEndian.Uint64(b[12:20]), groupOf(b)
	if f.group > f.index {
		return f, fmt.Errorf("%w: group after index", errFrame)
	}
	f.entry = b[frameHeader : frameHeader+EntrySize]
	private := frameHeader + EntrySize + int(binary.BigEndian.Uint32(b[4:8]))
	f.statement, f.private = b[frameHeader+EntrySize:private], b[private:n-4]
	f.size = n
	return f, nil
}

// text is the statement; nil if there is none.
func (f *rawFrame) text() []byte {
	if len(f.statement) == 0 {
		return nil
	}
	return f.statement
}

// check parses the entry and compares it with statement and private record.
func (f *rawFrame) check() (Entry, error) {
	e, err := ParseEntry(f.entry)
	if err != nil {
		return e, err
	}
	if PrivateHash(len(f.statement), f.private) != e.Private {
		return e, fmt.Errorf("%w: private record differs from its digest", errFrame)
	}
	if len(f.statement) > 0 && StatementHash(f.statement) != e.Statement {
		return e, fmt.Errorf("%w: statement differs from its hash", errFrame)
	}
	return e, nil
}

// scanner reads the frames of one segment one after another.
type scanner struct {
	r    io.ReaderAt
	salt uint32
	off  int64 // of the next frame
	end  int64
	next uint64 // index of the next frame

	buf  []byte
	from int64 // file offset of buf[0]
}

const scanBuffer = 256 << 10

// frame gives the next frame, valid until the call after. At the end of the
// data (the end of the file, or zeros) it is io.EOF. An error of errFrame leaves
// off at the broken frame.
func (s *scanner) frame() (rawFrame, error) {
	head, err := s.peek(frameHeader)
	if err != nil {
		return rawFrame{}, err
	}
	if len(head) == 0 || allZero(head) {
		return rawFrame{}, io.EOF
	}
	n, err := frameLength(head)
	if err != nil {
		return rawFrame{}, err
	}
	b, err := s.peek(n)
	if err != nil {
		return rawFrame{}, err
	}
	f, err := parseFrame(b, s.salt)
	if err != nil {
		return rawFrame{}, err
	}
	if f.index != s.next {
		return rawFrame{}, fmt.Errorf("%w: index is not the next one", errFrame)
	}
	s.off += int64(f.size)
	s.next++
	return f, nil
}

// peek gives up to n bytes at off, fewer at the end.
func (s *scanner) peek(n int) ([]byte, error) {
	if left := s.end - s.off; int64(n) > left {
		n = int(left)
	}
	at := s.off - s.from
	if at >= 0 && at+int64(n) <= int64(len(s.buf)) {
		return s.buf[at : at+int64(n)], nil
	}
	want := int64(max(n, scanBuffer))
	want = min(want, s.end-s.off)
	if int64(cap(s.buf)) < want {
		s.buf = make([]byte, want)
	}
	s.buf = s.buf[:want]
	s.from = s.off
	got, err := s.r.ReadAt(s.buf, s.off)
	if int64(got) < want {
		s.buf = s.buf[:0]
		return nil, fmt.Errorf("read segment: %w", bare(err))
	}
	return s.buf[:n], nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
