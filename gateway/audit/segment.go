package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A segment is a file of frames, named by the index of its first one. Its header
// has 64 bytes: magic and version (4), zero (4), first index (8), SM3 of the
// origin (32), time of making in nanoseconds (8), zero (4), CRC-32C (4). The
// checksum goes into that of every frame, so that a frame is whole only in the
// segment it was written to.
const (
	segmentMagic  = "YLS\x02"
	formerMagic   = "YLS\x01" // frames of two parts
	segmentHeader = 64
	segmentSuffix = ".seg"
	markEvery     = 16 // frames between two remembered offsets
)

type segment struct {
	first uint64
	path  string
	salt  uint32

	mu      sync.Mutex
	end     int64 // bytes of header and whole frames
	count   uint64
	marks   []int64 // offsets of frames first, first+16, ...
	scanned bool    // end, count and marks are known
}

// segments is the list of segment files; one goroutine appends.
type segments struct {
	st     storage
	dir    string
	origin Hash
	bytes  int64
	clock  func() time.Time

	mu   sync.RWMutex
	list []*segment

	w      file // open for writing: the last segment
	room   int64
	zeroed int64 // up to here the file holds written blocks
	zeros  []byte
}

// zeroStep is how far zeros are written ahead of the frames. Reserved blocks
// that were never written cost a journal commit at their first sync; written
// ones only their data (measured: 240 and 150 microseconds a group).
const zeroStep = 1 << 20

func encodeSegmentHeader(magic string, first uint64, origin Hash, made int64) []byte {
	b := make([]byte, 0, segmentHeader)
	b = append(b, magic...)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, first)
	b = append(b, origin[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(made))
	b = append(b, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

// parseSegmentHeader checks everything and gives the salt.
func parseSegmentHeader(b []byte, first uint64, origin Hash) (uint32, error) {
	if len(b) != segmentHeader {
		return 0, fmt.Errorf("%w: segment header is cut short", ErrDamaged)
	}
	made := int64(binary.BigEndian.Uint64(b[48:56]))
	switch {
	case slices.Equal(b, encodeSegmentHeader(segmentMagic, first, origin, made)):
		return binary.BigEndian.Uint32(b[60:]), nil
	case slices.Equal(b, encodeSegmentHeader(formerMagic, first, origin, made)):
		return 0, fmt.Errorf("%w 1, this version reads format 2 only", ErrFormat)
	}
	return 0, fmt.Errorf("%w: segment header differs", ErrDamaged)
}

func segmentName(first uint64) string { return fmt.Sprintf("%016x%s", first, segmentSuffix) }

func parseSegmentName(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	first, err := strconv.ParseUint(digits, 16, 64)
	return first, err == nil && segmentName(first) == name
}

// openSegments lists the segment files and checks their names and headers. It
// changes nothing.
func openSegments(st storage, dir string, origin Hash, bytes int64, clock func() time.Time) (*segments, error) {
	s := &segments{st: st, dir: dir, origin: origin, bytes: bytes, clock: clock}
	entries, err := st.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			continue // made by a start or roll that did not end
		}
		first, ok := parseSegmentName(e.Name())
		if !ok {
			return nil, sealed("there is an unknown file among the segments")
		}
		s.list = append(s.list, &segment{first: first, path: filepath.Join(dir, e.Name())})
	}
	sort.Slice(s.list, func(i, j int) bool { return s.list[i].first < s.list[j].first })
	if len(s.list) > 0 && s.list[0].first != 0 {
		return nil, sealed("the first segment is missing")
	}
	for _, seg := range s.list {
		if err := s.readHeader(seg); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *segments) readHeader(seg *segment) error {
	f, err := s.st.OpenFile(seg.path, os.O_RDONLY)
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	var head [segmentHeader]byte
	if n, err := f.ReadAt(head[:], 0); n < len(head) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read segment header: %w", bare(err))
	}
	seg.salt, err = parseSegmentHeader(head[:], seg.first, s.origin)
	if errors.Is(err, ErrFormat) {
		return err
	}
	if err != nil {
		return sealed("the header of the segment at index %d is damaged or of another log", seg.first)
	}
	return nil
}

// open gives a scanner over a segment from its first frame on, up to the end of
// the file.
func (s *segments) open(seg *segment) (*scanner, file, error) {
	f, err := s.st.OpenFile(seg.path, os.O_RDONLY)
	if err != nil {
		return nil, nil, fmt.Errorf("open segment: %w", err)
	}
	size, err := f.Size()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open segment: %w", err), f.Close())
	}
	return &scanner{r: f, salt: seg.salt, off: segmentHeader, end: size, next: seg.first}, f, nil
}

// note records a frame that was read or written at off.
func (seg *segment) note(off int64, size int) {
	if seg.count%markEvery == 0 {
		seg.marks = append(seg.marks, off)
	}
	seg.count++
	seg.end = off + int64(size)
}

// index scans a segment that was skipped at the start.
func (s *segments) index(seg *segment) error {
	if seg.scanned {
		return nil
	}
	sc, f, err := s.open(seg)
	if err != nil {
		return err
	}
	defer f.Close()
	seg.end, seg.count, seg.marks = segmentHeader, 0, nil
	for {
		off := sc.off
		fr, err := sc.frame()
		if errors.Is(err, io.EOF) {
			seg.scanned = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: index segment: %w", ErrDamaged, err)
		}
		seg.note(off, fr.size)
	}
}

// seek gives a scanner whose next frame is index. The caller closes the file.
func (s *segments) seek(index uint64) (*scanner, file, error) {
	seg := s.find(index)
	if seg == nil {
		return nil, nil, ErrNoEntry
	}
	seg.mu.Lock()
	defer seg.mu.Unlock()
	if err := s.index(seg); err != nil {
		return nil, nil, err
	}
	k := index - seg.first
	if k >= seg.count {
		return nil, nil, fmt.Errorf("%w: frames are missing", ErrDamaged)
	}
	sc, f, err := s.open(seg)
	if err != nil {
		return nil, nil, err
	}
	sc.off, sc.end = seg.marks[k/markEvery], min(seg.end, sc.end)
	sc.next = seg.first + k/markEvery*markEvery
	for sc.next < index {
		if _, err := sc.frame(); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("%w: %w", ErrDamaged, err), f.Close())
		}
	}
	return sc, f, nil
}

func (s *segments) find(index uint64) *segment {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := sort.Search(len(s.list), func(i int) bool { return s.list[i].first > index })
	if i == 0 {
		return nil
	}
	return s.list[i-1]
}

// roll starts a segment at index first, with room for need bytes of frames. It
// is there whole before a frame goes into it.
func (s *segments) roll(first uint64, need int64) error {
	if err := s.finish(); err != nil {
		return err
	}
	size := max(s.bytes, segmentHeader+need)
	name := filepath.Join(s.dir, segmentName(first))
	f, err := s.st.OpenFile(name+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("make segment: %w", err)
	}
	head := encodeSegmentHeader(segmentMagic, first, s.origin, s.clock().UnixNano())
	if err := s.prepare(f, name, head, size); err != nil {
		return errors.Join(fmt.Errorf("make segment: %w", err), f.Close())
	}
	seg := &segment{first: first, path: name, end: segmentHeader, scanned: true,
		salt: binary.BigEndian.Uint32(head[60:])}
	s.mu.Lock()
	s.list = append(s.list, seg)
	s.mu.Unlock()
	s.w, s.room, s.zeroed = f, size-segmentHeader, 0
	return nil
}

func (s *segments) prepare(f file, name string, head []byte, size int64) error {
	if err := f.Allocate(size); err != nil {
		return err
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		return bare(err)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := s.st.Rename(name+".tmp", name); err != nil {
		return err
	}
	return s.st.SyncDir(s.dir)
}

// resume opens the last segment for writing. What lies behind the last whole
// frame is cut off, and the space is allocated again.
func (s *segments) resume(cut bool) error {
	if len(s.list) == 0 {
		return nil
	}
	seg := s.list[len(s.list)-1]
	f, err := s.st.OpenFile(seg.path, os.O_RDWR)
	if err != nil {
		return fmt.Errorf("resume segment: %w", err)
	}
	s.w = f
	size, err := f.Size()
	if err == nil && cut {
		err = f.Truncate(seg.end)
	}
	if err == nil && (cut || size < s.bytes) {
		size = max(size, s.bytes)
		err = f.Allocate(size)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("resume segment: %w", bare(err))
	}
	s.room, s.zeroed = size-seg.end, 0
	return nil
}

// finish closes the segment being written, cut to its length.
func (s *segments) finish() error {
	if s.w == nil {
		return nil
	}
	w := s.w
	s.w = nil
	err := bare(w.Truncate(s.last().end))
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("finish segment: %w", err)
	}
	return nil
}

func (s *segments) last() *segment { return s.list[len(s.list)-1] }

// write puts the frames of a group behind the last one and syncs them. sizes
// are the lengths of the frames in data.
func (s *segments) write(data []byte, sizes []int) error {
	seg := s.last()
	if _, err := s.w.WriteAt(data, seg.end); err != nil {
		return fmt.Errorf("write frames: %w", bare(err))
	}
	if err := s.zeroAhead(seg.end+int64(len(data)), s.room-int64(len(data))); err != nil {
		return err
	}
	if err := s.w.Sync(); err != nil {
		return fmt.Errorf("sync frames: %w", err)
	}
	seg.mu.Lock()
	defer seg.mu.Unlock()
	for _, n := range sizes {
		seg.note(seg.end, n)
	}
	s.room -= int64(len(data))
	return nil
}

// zeroAhead writes zeros from end on, at most room of them, if the frames have
// come to blocks that were never written.
func (s *segments) zeroAhead(end, room int64) error {
	if end <= s.zeroed || room <= 0 {
		return nil
	}
	if s.zeros == nil {
		s.zeros = make([]byte, min(zeroStep, s.bytes))
	}
	b := s.zeros[:min(int64(len(s.zeros)), room)]
	if _, err := s.w.WriteAt(b, end); err != nil {
		return fmt.Errorf("write frames: %w", bare(err))
	}
	s.zeroed = end + int64(len(b))
	return nil
}

// makeRoom sees to it that the last segment can take a group.
func (s *segments) makeRoom(first uint64, need int64) error {
	if s.w != nil && s.room >= need {
		return nil
	}
	return s.roll(first, need)
}
