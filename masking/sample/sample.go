// Package sample chooses whose records stay (ISO/IEC 20889: sampling): a
// subject is a member when HMAC-SM3(key, subject), read as a number, lies below
// the rate. With one lineage key the members are the same persons in every job,
// so that repeated samples add nothing to each other, and a smaller rate gives
// a part of a larger one.
//
// What is protected: whether a person who is not a member is in the table at
// all; membership tells nothing of a record but its subject, and cannot be
// foretold without the key. What is not: the records of members, which the
// other techniques must treat; and, for who holds the key, anybody's membership.
//
// A record without a subject (null, empty, or without a canonical form of the kind
// given) is never a member.
package sample

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// MinKey is the least length of a lineage key in bytes.
const MinKey = 16

// maxRate bounds the text of a rate.
const maxRate = 24

// Params says who is sampled.
type Params struct {
	// Below is the rate in units of 2^-64, rounded down.
	Below uint64
	// Kind of identifier whose canonical form is hashed, so that two spellings
	// are one person; empty: the bytes as they are.
	Kind identifier.Kind
}

// Parse reads a rate (a decimal above 0 and below 1) and a kind, which may be
// empty.
func Parse(rate, kind string) (Params, error) {
	var p Params
	r, ok := new(big.Rat).SetString(rate)
	if !ok || len(rate) > maxRate || strings.Trim(rate, "0123456789.") != "" ||
		r.Sign() <= 0 || r.Cmp(big.NewRat(1, 1)) >= 0 {
		return p, errors.New("sample rate: want a decimal above 0 and below 1")
	}
	scaled := new(big.Int).Lsh(r.Num(), 64)
	p.Below = scaled.Quo(scaled, r.Denom()).Uint64()
	if kind == "" {
		return p, nil
	}
	var err error
	if p.Kind, err = identifier.ParseKind(kind); err != nil {
		return p, errors.New("sample kind: no such kind of identifier")
	}
	return p, nil
}

// Sampler is immutable and safe for concurrent use.
type Sampler struct {
	params Params
	key    *sm3lanes.Key
}

// New makes a sampler; no reference to the key is kept.
func New(p Params, key []byte) (*Sampler, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("sample: want a key of at least %d bytes", MinKey)
	}
	k, err := sm3lanes.NewKey(key)
	if err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	return &Sampler{params: p, key: k}, nil
}

// String, GoString and the like never print the key.
func (*Sampler) String() string { return "[key]" }

// GoString is String.
func (*Sampler) GoString() string { return "[key]" }

// Type reports whether a column can name subjects: text, also in a dictionary,
// and whole numbers of 64 bits. The error wraps kernel.ErrType.
func Type(t arrow.DataType) error {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
		if t.ID() == arrow.INT64 {
			return fmt.Errorf("dictionary of %s: %w", t, kernel.ErrType)
		}
	}
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.INT64:
		return nil
	}
	return fmt.Errorf("%s does not name a subject: %w", t, kernel.ErrType)
}

// Members lists the rows of members, in ascending order.
func (s *Sampler) Members(in arrow.Array) ([]int, error) {
	if err := Type(in.DataType()); err != nil {
		return nil, err
	}
	if err := check(in); err != nil {
		return nil, err
	}
	j := &judge{Sampler: s}
	switch a := in.(type) {
	case *array.String:
		return j.rows(a, func(i int) { j.add([]byte(a.Value(i))) }), nil
	case *array.LargeString:
		return j.rows(a, func(i int) { j.add([]byte(a.Value(i))) }), nil
	case *array.Int64:
		return j.rows(a, func(i int) {
			j.digits = strconv.AppendInt(j.digits[:0], a.Value(i), 10)
			j.add(j.digits)
		}), nil
	case *array.Dictionary:
		return j.coded(a)
	}
	return nil, kernel.ErrCorrupt
}

// check looks at the buffers of a plain array before its accessors do.
func check(in arrow.Array) error {
	switch in.DataType().ID() {
	case arrow.STRING:
		return checkText[int32](in)
	case arrow.LARGE_STRING:
		return checkText[int64](in)
	case arrow.INT64:
		_, _, err := kernel.OpenFixed(in, 8)
		return err
	}
	return nil
}

func checkText[O kernel.Offset](in arrow.Array) error {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return err
	}
	return s.Check()
}

// judge holds the scratch of one call: the subjects of some rows, end to end.
type judge struct {
	*Sampler
	at      []int // the row of each subject
	data    []byte
	offsets []int64
	digits  []byte
}

// most is how many subjects are judged at once.
const most = 4096

// rows judges the subjects of the rows that have one.
func (j *judge) rows(in arrow.Array, subject func(int)) []int {
	var members []int
	for i := range in.Len() {
		if in.IsValid(i) {
			before := len(j.data)
			subject(i)
			if len(j.data) > before {
				j.at = append(j.at, i)
				j.offsets = append(j.offsets, int64(before))
			}
		}
		if len(j.at) == most || i == in.Len()-1 {
			members = j.judge(members)
		}
	}
	return members
}

// judge compares the first 64 bits of each HMAC with the rate.
func (j *judge) judge(members []int) []int {
	if len(j.at) == 0 {
		return members
	}
	j.offsets = append(j.offsets, int64(len(j.data)))
	sums := make([]byte, len(j.at)*sm3lanes.Size)
	j.key.MACLarge(sums, j.data, j.offsets)
	for n, row := range j.at {
		if binary.BigEndian.Uint64(sums[n*sm3lanes.Size:]) < j.params.Below {
			members = append(members, row)
		}
	}
	j.at, j.data, j.offsets = j.at[:0], j.data[:0], j.offsets[:0]
	return members
}

// coded judges each value of a dictionary once.
func (j *judge) coded(d *array.Dictionary) ([]int, error) {
	codes, err := kernel.Codes(d)
	if err != nil {
		return nil, err
	}
	in, err := j.Members(d.Dictionary())
	if err != nil {
		return nil, err
	}
	member := make([]bool, d.Dictionary().Len())
	for _, v := range in {
		member[v] = true
	}
	var rows []int
	for i, c := range codes {
		if c >= 0 && member[c] {
			rows = append(rows, i)
		}
	}
	return rows, nil
}

// add appends the form of a subject that is hashed; nothing for a value that
// is empty or has no canonical form.
func (j *judge) add(v []byte) {
	if len(v) == 0 {
		return
	}
	if j.params.Kind == "" {
		j.data = append(j.data, v...)
		return
	}
	if out, err := identifier.AppendCanonical(j.data, j.params.Kind, v); err == nil {
		j.data = out
	}
}
