// Package dateshift moves dates by a whole number of days, the same for all
// dates of one subject (日期偏移): the days between two events of a person stay,
// the days themselves do not.
//
//	shift = uniform in [-range, range], drawn from HMAC-SM3(k, canonical subject)
//
// k is derived from the key given, the kind of subject, the range and nonzero,
// so that two releases with different ranges do not explain each other.
//
// What is protected: the true day, within the range, from whoever lacks the
// key.
//
// What is not protected: the order and the distance of a subject's dates, which
// single out a person who has many of them; the time of day; anything coarser
// than the range, such as the decade; and all dates of a subject as soon as one
// of them is known elsewhere. Whoever holds the key can undo it. Dates without
// a subject are malformed: a shift shared by strangers protects neither.
package dateshift

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// MaxRange is the widest shift, in days: a hundred years.
const MaxRange = 36525

const (
	minKey = 16
	maxKey = 64
)

// Params is a literal; New checks it.
type Params struct {
	// Subject names the column that says whose date it is: text, a dictionary
	// of text, or whole numbers, which stand for their decimal digits.
	Subject string
	// Kind brings subjects into canonical form; identifier.Opaque when empty.
	Kind identifier.Kind
	// Range is the greatest shift in days, 1 to MaxRange.
	Range int
	// NonZero excludes the shift 0.
	NonZero bool
}

// Parse reads subject, kind, range and nonzero.
func Parse(params map[string]string) (Params, error) {
	var p Params
	var err error
	for name, v := range params {
		switch name {
		case "subject":
			p.Subject = v
		case "kind":
			if p.Kind, err = identifier.ParseKind(v); err != nil {
				return p, fmt.Errorf("parameter kind: %w", err)
			}
		case "range":
			n, err := strconv.ParseUint(v, 10, 16)
			if err != nil || strconv.FormatUint(n, 10) != v || n < 1 || n > MaxRange {
				return p, errRange
			}
			p.Range = int(n)
		case "nonzero":
			if v != "true" && v != "false" {
				return p, errors.New("parameter nonzero: want true or false")
			}
			p.NonZero = v == "true"
		default:
			return p, fmt.Errorf("parameter %q is unknown to dateshift", name)
		}
	}
	return p, nil
}

var errRange = fmt.Errorf("parameter range: want a whole number of days from 1 to %d", MaxRange)

// New checks the parameters and makes the kernel. key is 16 to 64 random
// bytes; it is not kept. The kernel reads the subject through Env.Column.
func New(p Params, key []byte) (kernel.Kernel, error) {
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("dateshift: want a key of %d to %d bytes", minKey, maxKey)
	}
	if p.Subject == "" || !utf8.ValidString(p.Subject) {
		return nil, errors.New("dateshift: parameter subject: want the name of a column")
	}
	if p.Range < 1 || p.Range > MaxRange {
		return nil, fmt.Errorf("dateshift: %w", errRange)
	}
	if p.Kind == "" {
		p.Kind = identifier.Opaque
	}
	if _, err := identifier.ParseKind(string(p.Kind)); err != nil {
		return nil, fmt.Errorf("dateshift: parameter kind: %w", err)
	}
	k, err := sm3lanes.NewKey(derive(p, key))
	if err != nil {
		return nil, fmt.Errorf("dateshift: %w", err)
	}
	return &shifter{p: p, draw: draw{key: k, reach: uint64(p.Range), skip: p.NonZero}}, nil
}

func derive(p Params, key []byte) []byte {
	h := hmac.New(sm3.New, key)
	h.Write([]byte("yumen masking dateshift 1"))
	var b [5]byte
	binary.BigEndian.PutUint32(b[:], uint32(p.Range))
	if p.NonZero {
		b[4] = 1
	}
	h.Write(b[:])
	h.Write([]byte(p.Kind))
	return h.Sum(nil)
}

type shifter struct {
	p    Params
	draw draw
}

// Type accepts date32, date64, timestamp, and text of the form 2006-01-02 or
// 20060102. To a timestamp with a time zone days of 24 hours are added.
func (*shifter) Type(in arrow.DataType) (arrow.DataType, error) {
	switch in.ID() {
	case arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP, arrow.STRING, arrow.LARGE_STRING:
		return in, nil
	}
	return nil, fmt.Errorf("%s is not a date: %w", in, kernel.ErrType)
}

func (s *shifter) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if env.Column == nil {
		return nil, fmt.Errorf("no subject at hand (a dictionary is masked without its rows): %w", kernel.ErrType)
	}
	subject, err := env.Column(s.p.Subject)
	if err != nil {
		return nil, err
	}
	who, err := openSubjects(subject, s.p.Kind)
	if err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	if who.n != in.Len() {
		return nil, kernel.ErrCorrupt
	}
	defer who.wipe()
	switch t := in.DataType().(type) {
	case *arrow.Date32Type:
		return s.days(env, in, who)
	case *arrow.Date64Type:
		return s.ticks(env, in, who, secondsPerDay*1000)
	case *arrow.TimestampType:
		return s.ticks(env, in, who, secondsPerDay*perSecond(t.Unit))
	case *arrow.LargeStringType:
		return shiftText[int64](s, env, in, who)
	}
	return shiftText[int32](s, env, in, who)
}
