package receipt

import (
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
)

// Varying is what differs between two statements about the same question of the
// same asker under the same policy.
type Varying struct {
	Before, After   int64 // of the caller's own budget
	Consent         string
	Expires         time.Time // its day is named; zero: none
	ID              [16]byte
	Request, Result audit.Hash
	Rows            int64
	Serial          string
	Time            time.Time
}

// varying is the number of values that a draft leaves open: those of Varying.
const varying = 10

// Draft is a statement of which everything but Varying is judged and rendered
// once. It is immutable and safe for concurrent use.
type Draft struct {
	text []byte
	cuts [2*varying + 2]int // segment i lies between cuts 2i and 2i+1
	kind string
}

// marks notes where the values that vary lie in a rendered statement.
type marks struct {
	n  int
	at [2 * varying]int
}

func (m *marks) note(from, to int) {
	m.at[m.n], m.at[m.n+1] = from, to
	m.n += 2
}

func (m *marks) field(dst []byte, key, value string) []byte {
	dst = append(dst, key...)
	from := len(dst)
	dst = appendString(dst, value)
	m.note(from, len(dst))
	return dst
}

func (m *marks) number(dst []byte, key string, value int64) []byte {
	dst = append(dst, key...)
	from := len(dst)
	dst = appendInt(dst, value)
	m.note(from, len(dst))
	return dst
}

// NewDraft makes a draft of one whole statement. A field out of its bounds is an
// error that names the field and never its value.
func NewDraft(s *Statement) (*Draft, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	d, m := &Draft{kind: s.Kind}, &marks{}
	d.text = s.render(nil, m)
	copy(d.cuts[1:], m.at[:])
	d.cuts[len(d.cuts)-1] = len(d.text)
	return d, nil
}

// Append appends the canonical statement with these values: what AppendCanonical
// gives for a Statement that holds them.
func (d *Draft) Append(dst []byte, v *Varying) ([]byte, error) {
	if field := d.bad(v); field != "" {
		return nil, &FieldError{Field: field}
	}
	start := len(dst)
	dst = appendInt(d.segment(dst, 0), v.After)
	dst = appendInt(d.segment(dst, 1), v.Before)
	dst = appendString(d.segment(dst, 2), v.Consent)
	dst = append(d.segment(dst, 3), '"')
	if !v.Expires.IsZero() {
		dst = v.Expires.AppendFormat(dst, time.DateOnly)
	}
	dst = append(dst, '"')
	dst = appendHex(d.segment(dst, 4), v.ID[:])
	dst = appendHex(d.segment(dst, 5), v.Request[:])
	dst = appendHex(d.segment(dst, 6), v.Result[:])
	dst = appendInt(d.segment(dst, 7), v.Rows)
	dst = appendString(d.segment(dst, 8), v.Serial)
	dst = append(d.segment(dst, 9), '"')
	dst = v.Time.In(beijing()).AppendFormat(dst, timeLayout)
	dst = d.segment(append(dst, '"'), varying)
	if len(dst)-start > MaxStatement {
		return nil, ErrSize
	}
	return dst, nil
}

func (d *Draft) segment(dst []byte, i int) []byte {
	return append(dst, d.text[d.cuts[2*i]:d.cuts[2*i+1]]...)
}

// bad names the first value out of its bounds; hashes and the id have none.
func (d *Draft) bad(v *Varying) string {
	switch {
	case !isCount(v.Before) || !isCount(v.After):
		return "budget"
	case !isText(v.Consent, MaxName):
		return "consent"
	case !v.Expires.IsZero() && !isYear(v.Expires):
		return "expires"
	case v.Rows < 1 || v.Rows > MaxRows || d.kind != KindBatch && v.Rows != 1:
		return "rows"
	case !isSerial(v.Serial):
		return "serial"
	case !isYear(v.Time.In(beijing())):
		return "time"
	}
	return ""
}

// isYear: the year takes four digits.
func isYear(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
