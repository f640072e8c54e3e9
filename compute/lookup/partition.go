package lookup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/emmansun/gmsm/sm3"
)

// Entries are spread over partitionCount buckets by the first byte of their
// key. Keys are keyed hashes, so buckets are even, and each can be sorted and
// merged on its own: an external sort without a merge of runs.
const (
	partitionCount = 256
	entryBase      = 32
	entryIdentity  = entryBase + 8 + identitySize
	rowMask        = 1<<56 - 1
	spillForm      = "yumen/lookup/spill/1"
)

// entry is what one row, or several rows of one subject, say. In memory and in
// spilled runs it is key, outcomes, flags and row in one word, and for identity
// programs the conflict row and the digests.
type entry struct {
	key      indexKey
	outcomes uint64
	flags    byte
	row      int64 // the earliest row that has an identity, else any row
	conflict int64 // the earliest row whose identity is not that of row; 0 is none
	digests  [identitySize]byte
}

func entrySize(p *Program) int {
	if p.hasIdentity() {
		return entryIdentity
	}
	return entryBase
}

func (e *entry) append(dst []byte, size int) []byte {
	dst = append(dst, e.key[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, e.outcomes)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.flags)<<56|uint64(e.row)&rowMask)
	if size == entryIdentity {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(e.conflict))
		dst = append(dst, e.digests[:]...)
	}
	return dst
}

func (e *entry) read(src []byte) {
	copy(e.key[:], src)
	e.outcomes = binary.LittleEndian.Uint64(src[16:])
	meta := binary.LittleEndian.Uint64(src[24:])
	e.flags, e.row, e.conflict = byte(meta>>56), int64(meta&rowMask), 0
	if len(src) == entryIdentity {
		e.conflict = int64(binary.LittleEndian.Uint64(src[32:]))
		copy(e.digests[:], src[40:])
	}
}

// merge adds what o says of the same subject. The result does not depend on the
// order in which entries are merged.
func (e *entry) merge(o *entry) {
	e.outcomes |= o.outcomes
	switch {
	case o.flags&flagIdentity == 0:
	case e.flags&flagIdentity == 0:
		e.row, e.conflict, e.digests = o.row, o.conflict, o.digests
	default:
		e.mergeIdentity(o)
	}
	e.flags |= o.flags
}

func (e *entry) mergeIdentity(o *entry) {
	conflict := earlier(e.conflict, o.conflict)
	if e.digests != o.digests {
		conflict = earlier(conflict, max(e.row, o.row))
	}
	if o.row < e.row {
		e.row, e.digests = o.row, o.digests
	}
	e.conflict = conflict
}

// earlier is the lower of two rows of which 0 is none.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// partition holds one worker's entries, and its spilled run.
type partition struct {
	in      *intake
	id      int
	size    int // of one entry
	limit   int64
	held    int64 // bytes reserved by buckets
	buckets [partitionCount][]byte
	run     *os.File
	end     int64
	frames  [partitionCount][]frame
	nonces  nonceStream
	scratch []byte
}

type frame struct {
	at  int64
	len int
}

type partitions []*partition

func newPartition(in *intake, id int, limit int64) *partition {
	return &partition{in: in, id: id, size: entrySize(in.p), limit: limit, nonces: nonceStream{r: in.random}}
}

func (pt *partition) add(e *entry) error {
	b := &pt.buckets[e.key[0]]
	before := cap(*b)
	*b = e.append(*b, pt.size)
	pt.held += int64(cap(*b) - before)
	if pt.held > pt.limit {
		return pt.flush()
	}
	return nil
}

// flush seals every bucket into the run and empties it. The outcomes of a
// spilled entry are data, so they touch no disk in clear.
func (pt *partition) flush() error {
	if pt.run == nil {
		f, err := os.OpenFile(filepath.Join(pt.in.spill, fmt.Sprint(pt.id)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("spill: %w", scrub(err))
		}
		pt.run = f
	}
	for i, b := range pt.buckets {
		pt.buckets[i] = nil
		if len(b) == 0 {
			continue
		}
		nonce, err := pt.nonces.next()
		if err != nil {
			return err
		}
		pt.scratch = append(pt.scratch[:0], nonce...)
		pt.scratch = pt.in.o.Keys.Seal(pt.scratch, nonce, b, pt.aad(i))
		if _, err := pt.run.WriteAt(pt.scratch, pt.end); err != nil {
			return fmt.Errorf("spill: %w", scrub(err))
		}
		pt.frames[i] = append(pt.frames[i], frame{pt.end, len(pt.scratch)})
		pt.end += int64(len(pt.scratch))
	}
	pt.held = 0
	return nil
}

// aad binds a frame to its place: bucket and, by offset, order in the run.
func (pt *partition) aad(bucket int) []byte {
	sum := sm3.Sum(appendFields(nil, spillForm, pt.in.o.Dataset, pt.in.o.Version,
		fmt.Sprint(pt.id, bucket, len(pt.frames[bucket]))))
	return sum[:]
}

// take moves everything of a bucket to the end of dst, merging whenever dst
// outgrows limit: a subject with very many rows costs one entry.
func (pt *partition) take(dst []byte, bucket, limit int) ([]byte, error) {
	frames := pt.frames[bucket]
	for i, f := range frames {
		sealed := make([]byte, f.len)
		if _, err := pt.run.ReadAt(sealed, f.at); err != nil {
			return nil, fmt.Errorf("read spill: %w", scrub(err))
		}
		pt.frames[bucket] = frames[:i] // aad counts the frames before this one
		aad := pt.aad(bucket)
		var err error
		if dst, err = pt.in.o.Keys.Open(dst, sealed[:NonceSize], sealed[NonceSize:], aad); err != nil {
			return nil, fmt.Errorf("read spill: %w", ErrCorrupt)
		}
		if len(dst) > limit {
			dst = compact(dst, pt.size)
		}
	}
	dst = append(dst, pt.buckets[bucket]...)
	pt.buckets[bucket], pt.frames[bucket] = nil, nil
	return dst, nil
}

// bucket gives all entries of a bucket, one for each subject, sorted by key.
func (ps partitions) bucket(i, limit int) ([]byte, error) {
	var (
		all []byte
		err error
	)
	for _, pt := range ps {
		if all, err = pt.take(all, i, limit); err != nil {
			return nil, err
		}
	}
	return compact(all, ps[0].size), nil
}

// compact sorts entries by key and merges those of one subject.
func compact(b []byte, size int) []byte {
	order := make([]sortKey, 0, len(b)/size)
	for at := 0; at < len(b); at += size {
		order = append(order, newSortKey(b[at:], at))
	}
	slices.SortFunc(order, sortKey.compare)
	out := make([]byte, 0, len(b))
	var e, o entry
	for i := 0; i < len(order); {
		e.read(b[order[i].at:][:size])
		n := i + 1
		for ; n < len(order) && order[n].compare(order[i]) == 0; n++ {
			o.read(b[order[n].at:][:size])
			e.merge(&o)
		}
		out = e.append(out, size)
		i = n
	}
	return out
}

// bytes is the size of all entries, held and spilled.
func (ps partitions) bytes() int64 {
	n := int64(0)
	for _, pt := range ps {
		n += pt.end
		for _, b := range pt.buckets {
			n += int64(len(b))
		}
	}
	return n
}

func (ps partitions) close() error {
	var errs []error
	for _, pt := range ps {
		if pt != nil && pt.run != nil {
			errs = append(errs, scrub(pt.run.Close()))
			pt.run = nil
		}
	}
	return errors.Join(errs...)
}
