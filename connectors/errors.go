package connectors

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

var (
	// ErrDrift: what is stored is not what was declared. Do not retry; correct
	// the domain file or have the provider deliver what was agreed.
	ErrDrift = errors.New("schema drift")
	// ErrMalformed: the data breaks its format or its declared types. Do not
	// retry; discard what was read; the provider must deliver again.
	ErrMalformed = errors.New("malformed data")
	// ErrLimit: the data asks for more than its bounds (file, cell, row, column
	// count, uncompressed size). Do not retry with the same bounds.
	ErrLimit = errors.New("limit exceeded")
	// ErrColumn: a Scan asked for columns the dataset does not have. Correct
	// the Scan.
	ErrColumn = errors.New("no such column")
)

// RowError says where data is malformed, and never what it holds.
type RowError struct {
	Row   int64  // 1-based data row (a header is not counted); 0 is the header
	Field string // declared name; empty where the whole row is meant
	Rule  string // the rule that is broken, in words
}

func (e *RowError) Error() string {
	s := "malformed data: row " + strconv.FormatInt(e.Row, 10)
	if e.Row == 0 {
		s = "malformed data: header"
	}
	if e.Field != "" {
		s += ", field " + strconv.Quote(e.Field)
	}
	return s + ": " + e.Rule
}

// Unwrap makes every RowError an ErrMalformed.
func (e *RowError) Unwrap() error { return ErrMalformed }

// DriftError says which column is not as declared.
type DriftError struct {
	Field  string // declared name, or a stored name that is safe to print; may be empty
	Column int    // 1-based position where it is stored; 0 if it is not
	Rule   string
}

func (e *DriftError) Error() string {
	s := "schema drift"
	if e.Column > 0 {
		s += ": column " + strconv.Itoa(e.Column)
	}
	if e.Field != "" {
		s += ": field " + strconv.Quote(e.Field)
	}
	return s + ": " + e.Rule
}

// Unwrap makes every DriftError an ErrDrift.
func (e *DriftError) Unwrap() error { return ErrDrift }

// LimitAt is a RowError that is also an ErrLimit.
func LimitAt(e *RowError) error { return fmt.Errorf("%w: %w", ErrLimit, e) }

// SafeName returns a stored column name if it may be printed (short, printable,
// valid UTF-8) and "" if not.
func SafeName(s string) string {
	if utf8.RuneCountInString(s) > 64 || !validName(s) {
		return ""
	}
	return s
}
