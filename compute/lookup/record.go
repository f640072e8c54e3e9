package lookup

import (
	"cmp"
	"encoding/binary"

	"github.com/emmansun/gmsm/sm3"
)

// A record in clear, recordLen bytes, the same for every subject of an index:
//
//	0   form, 1
//	1   flags
//	2   zero
//	8   outcomes, little endian, bit i is predicate i
//	16  name digest, phone digest (only programs with an identity predicate)
const (
	recordForm    = 1
	flagWithheld  = 1 << 0
	flagIdentity  = 1 << 1 // the digests stand for a name and a phone
	recordBase    = 16
	digestSize    = 16
	identitySize  = 2 * digestSize
	maxRecordSize = recordBase + identitySize
)

type indexKey [16]byte

func (p *Program) recordLen() int {
	if p.hasIdentity() {
		return maxRecordSize
	}
	return recordBase
}

func sealedLen(record int) int { return NonceSize + record + TagSize }

type record struct {
	flags    byte
	outcomes uint64
	digests  [identitySize]byte
}

// put writes the record in clear over dst, whose length is recordLen. What a
// withheld subject's rows said is not written.
func (r *record) put(dst []byte) {
	clear(dst)
	dst[0], dst[1] = recordForm, r.flags
	if r.flags&flagWithheld != 0 {
		dst[1] = flagWithheld
		return
	}
	binary.LittleEndian.PutUint64(dst[8:], r.outcomes)
	if r.flags&flagIdentity != 0 && len(dst) == maxRecordSize {
		copy(dst[recordBase:], r.digests[:])
	}
}

// get reads a record that has passed authentication.
func (r *record) get(src []byte) error {
	if len(src) < recordBase || src[0] != recordForm {
		return ErrCorrupt
	}
	r.flags, r.outcomes = src[1], binary.LittleEndian.Uint64(src[8:])
	r.digests = [identitySize]byte{}
	copy(r.digests[:], src[recordBase:])
	return nil
}

// hasher makes the keyed digests of one dataset. It is not for concurrent use.
type hasher struct {
	keys          Keys
	subjectPrefix []byte
	digestPrefix  []byte
	buf, sum      []byte
}

func newHasher(keys Keys, dataset string, p *Program) *hasher {
	kind := string(p.subject.Identifier)
	return &hasher{
		keys:          keys,
		subjectPrefix: appendShort(nil, "s1", dataset, kind),
		digestPrefix:  appendShort(nil, "i1", dataset, kind),
		buf:           make([]byte, 0, 512),
		sum:           make([]byte, 0, MacSize),
	}
}

// appendShort appends each field behind its length in two big-endian bytes.
// Fields are at most 65535 bytes; Build and Open check the longest.
func appendShort[T string | []byte](dst []byte, fields ...T) []byte {
	for _, f := range fields {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(f)))
		dst = append(dst, f...)
	}
	return dst
}

// key gives the index key of a canonical subject.
func (h *hasher) key(subject []byte) (k indexKey) {
	h.buf = appendShort(append(h.buf[:0], h.subjectPrefix...), subject)
	h.sum = h.keys.Mac(h.sum[:0], h.buf)
	copy(k[:], h.sum)
	return k
}

// digest writes the digest of a canonical name or phone, bound to its subject:
// equal names of two subjects have unequal digests.
func (h *hasher) digest(dst []byte, k *indexKey, field string, canonical []byte) {
	h.buf = append(append(h.buf[:0], h.digestPrefix...), k[:]...)
	h.buf = appendShort(appendShort(h.buf, field), canonical)
	h.sum = h.keys.Mac(h.sum[:0], h.buf)
	copy(dst[:digestSize], h.sum)
}

const (
	nameDigest  = "name"
	phoneDigest = "phone"
)

// sealer binds records to one build of one index.
type sealer struct {
	keys Keys
	aad  [len(indexKey{}) + sm3.Size]byte // key || context
}

func newSealer(keys Keys, m *manifest) *sealer {
	s := &sealer{keys: keys}
	ctx := sm3.Sum(appendFields(nil, "yumen/lookup/record/1",
		m.Dataset, m.Version, string(m.Program), string(m.BuildID)))
	copy(s.aad[len(indexKey{}):], ctx[:])
	return s
}

// seal appends nonce and sealed record; the nonce is that of this record alone.
func (s *sealer) seal(dst []byte, k *indexKey, nonce, clear []byte) []byte {
	copy(s.aad[:], k[:])
	dst = append(dst, nonce...)
	return s.keys.Seal(dst, nonce, clear, s.aad[:])
}

// open gives the record sealed under k, in dst's memory where it fits.
func (s *sealer) open(dst []byte, k *indexKey, sealed []byte) ([]byte, error) {
	if len(sealed) < NonceSize+TagSize {
		return nil, ErrCorrupt
	}
	copy(s.aad[:], k[:])
	clear, err := s.keys.Open(dst, sealed[:NonceSize], sealed[NonceSize:], s.aad[:])
	if err != nil {
		return nil, ErrCorrupt
	}
	return clear, nil
}

// sortKey orders 16-byte keys by two machine words.
type sortKey struct {
	hi, lo uint64
	at     int
}

func newSortKey(k []byte, at int) sortKey {
	return sortKey{hi: binary.BigEndian.Uint64(k), lo: binary.BigEndian.Uint64(k[8:]), at: at}
}

func (a sortKey) compare(b sortKey) int {
	if c := cmp.Compare(a.hi, b.hi); c != 0 {
		return c
	}
	return cmp.Compare(a.lo, b.lo)
}

func (a sortKey) key() (k indexKey) {
	binary.BigEndian.PutUint64(k[:], a.hi)
	binary.BigEndian.PutUint64(k[8:], a.lo)
	return k
}
