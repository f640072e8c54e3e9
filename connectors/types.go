package connectors

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
)

// Limits of a declared schema.
const (
	// MaxFields is the largest number of columns of a dataset.
	MaxFields = 4096
	// MaxNameBytes is the longest field name.
	MaxNameBytes = 128
)

// BeijingOffset is the offset in seconds of the wall clock that a time without
// a zone is read in: UTC+08:00, always. (The summer times of 1986 to 1991 are
// not applied: a civil register gives no means to tell the repeated hour.)
const BeijingOffset = 8 * 60 * 60

// Field declares one column. Type is written as in the domain file: string,
// int64, float64, bool, date, timestamp or decimal(p,s).
type Field struct {
	Name     string
	Type     string
	Nullable bool
}

// ParseType gives the Arrow type of a declared type:
//
//	string       utf8, valid UTF-8 without NUL
//	int64        int64
//	float64      float64, finite only
//	bool         bool
//	date         date32, days since 1970-01-01, years 0001 to 9999
//	timestamp    timestamp[ms, UTC]: an instant. Text or storage without a zone
//	             is a wall clock in UTC+08:00 (see BeijingOffset)
//	decimal(p,s) decimal128, 1 <= p <= 38, 0 <= s <= p
func ParseType(s string) (arrow.DataType, error) {
	switch s {
	case "string":
		return arrow.BinaryTypes.String, nil
	case "int64":
		return arrow.PrimitiveTypes.Int64, nil
	case "float64":
		return arrow.PrimitiveTypes.Float64, nil
	case "bool":
		return arrow.FixedWidthTypes.Boolean, nil
	case "date":
		return arrow.FixedWidthTypes.Date32, nil
	case "timestamp":
		return arrow.FixedWidthTypes.Timestamp_ms, nil
	}
	if p, sc, ok := parseDecimalType(s); ok {
		return &arrow.Decimal128Type{Precision: p, Scale: sc}, nil
	}
	return nil, fmt.Errorf("connectors: unknown field type %.32q: want string, int64, float64, bool, date, timestamp or decimal(p,s) with p <= 38", s)
}

func parseDecimalType(s string) (p, scale int32, ok bool) {
	body, found := strings.CutPrefix(s, "decimal(")
	body, closed := strings.CutSuffix(body, ")")
	left, right, comma := strings.Cut(body, ",")
	if !found || !closed || !comma {
		return 0, 0, false
	}
	a, errA := strconv.ParseUint(left, 10, 8)
	b, errB := strconv.ParseUint(strings.TrimPrefix(right, " "), 10, 8)
	if errA != nil || errB != nil || a < 1 || a > 38 || b > a {
		return 0, 0, false
	}
	return int32(a), int32(b), true
}

// Schema gives the Arrow schema of the declared fields, in their order.
// Empty, over-long, repeated and non-UTF-8 names are refused.
func Schema(fields []Field) (*arrow.Schema, error) {
	if len(fields) == 0 || len(fields) > MaxFields {
		return nil, fmt.Errorf("connectors: %d fields declared: want 1 to %d", len(fields), MaxFields)
	}
	seen := make(map[string]bool, len(fields))
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		if !validName(f.Name) {
			return nil, fmt.Errorf("connectors: field %d: name must be 1 to %d bytes of printable UTF-8", i+1, MaxNameBytes)
		}
		if seen[f.Name] {
			return nil, fmt.Errorf("connectors: field %q declared twice", f.Name)
		}
		seen[f.Name] = true
		dt, err := ParseType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("connectors: field %q: %w", f.Name, err)
		}
		out[i] = arrow.Field{Name: f.Name, Type: dt, Nullable: f.Nullable}
	}
	return arrow.NewSchema(out, nil), nil
}

func validName(s string) bool {
	if len(s) == 0 || len(s) > MaxNameBytes || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) })
}

// RowBytes is the payload that one row costs, the bytes of its strings not
// counted: the width of each fixed value, four bytes of offset for a string,
// and one byte for validity. Batches are bounded in this measure plus the bytes
// of the strings; what an allocator rounds up comes on top.
func RowBytes(s *arrow.Schema) int64 {
	var n int64
	for _, f := range s.Fields() {
		n++
		if fw, ok := f.Type.(arrow.FixedWidthDataType); ok {
			n += int64((fw.BitWidth() + 7) / 8)
		} else {
			n += 4
		}
	}
	return n
}
