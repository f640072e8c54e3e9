package governance

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[subject]"

// SubjectID is the canonical identifier of a person or enterprise. However it is
// printed, logged or marshalled it reads [subject].
type SubjectID struct{ canonical string }

// Equal compares with another canonical identifier in time that depends on the lengths alone.
func (s SubjectID) Equal(canonical []byte) bool {
	return subtle.ConstantTimeCompare([]byte(s.canonical), canonical) == 1
}

// String gives [subject].
func (SubjectID) String() string { return redacted }

// GoString gives [subject].
func (SubjectID) GoString() string { return redacted }

// Format writes [subject] for every verb.
func (SubjectID) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText gives [subject].
func (SubjectID) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives [subject].
func (SubjectID) LogValue() slog.Value { return slog.StringValue(redacted) }
