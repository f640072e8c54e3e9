package receipt

import (
	"errors"
	"fmt"
	"time"
)

// FormatStatement is the version of the statement this package writes and reads.
const FormatStatement = 1

// Bounds of a statement.
const (
	// MaxStatement is the largest canonical statement in bytes.
	MaxStatement = 48 << 10
	// MaxName bounds names, ids and versions, in bytes of UTF-8.
	MaxName = 200
	// MaxText bounds running text such as the allowed use, in bytes of UTF-8.
	MaxText = 2000
	// MaxChecks bounds the number of checks.
	MaxChecks = 64
	// MaxParams bounds the number of parameters of a technique.
	MaxParams = 32
	// MaxRows bounds the rows of a batch.
	MaxRows = 1 << 24
)

// Kinds of result a statement can speak of.
const (
	KindVerify    = "verify"
	KindBatch     = "batch"
	KindTable     = "table"
	KindMasked    = "masked"
	KindScore     = "score"
	KindEncrypted = "encrypted"
)

// GlobalWithinCap is what Budget.Global says: the budget of all parties
// together is shown only so far.
const GlobalWithinCap = "within cap"

// Errors of forms.
var (
	// ErrFormat: written by another version of this format; use that version's verifier.
	ErrFormat = errors.New("unknown format")
	// ErrStatement: a field of the statement is out of its bounds. Correct the statement.
	ErrStatement = errors.New("statement out of bounds")
)

// FieldError is an ErrStatement that names the field.
type FieldError struct {
	Field string // the key in the canonical text
}

// Error names the field and never its value.
func (e *FieldError) Error() string { return fmt.Sprintf("%v: field %s", ErrStatement, e.Field) }

// Unwrap gives ErrStatement.
func (e *FieldError) Unwrap() error { return ErrStatement }

// Statement says what left the gate, for whom, under which rules. It holds
// request and result only as commitments. All strings are valid UTF-8 and
// bounded; what depends on the subject or the answer has no place in it.
type Statement struct {
	Format     int64     // FormatStatement
	ID         string    // 32 lower-case hexadecimal digits
	Serial     string    // YM-YYYYMMDD-NNNNNNNNNNNN
	Time       string    // RFC 3339 with milliseconds, +08:00
	Domain     string    // the data domain that answers
	Party      string    // the party that asked
	Agreement  string    // the agreement in force, or empty
	Scenario   string    // the approved scenario, or empty
	Query      string    // id of the template, table or mask
	Kind       string    // one of the Kind constants
	Consent    string    // consent id, or empty
	Dataset    Dataset   // what was asked
	Technique  Technique // how it was protected
	Checks     []Check   // what the gate judged
	Budget     Budget    // the caller's own, and "within cap" of all
	Policy     string    // SM3 of the policy set, 64 hexadecimal digits
	Trust      string    // SM3 of the trust file, 64 hexadecimal digits
	RulePack   string    // name@version
	Build      string    // identity of the program
	AllowedUse string    // what the result may be used for
	Expires    string    // empty, a day YYYY-MM-DD, or RFC 3339
	Request    string    // commitment, 64 hexadecimal digits
	Result     string    // commitment, 64 hexadecimal digits
	Rows       int64     // rows of a batch, else 1
}

// Dataset names one version of a dataset and the department it comes from.
type Dataset struct {
	ID      string
	Version string
	AsOf    string
	Source  string
}

// Technique is a protecting technique with all its parameters.
type Technique struct {
	Name   string
	Params map[string]string
}

// Check is one rule of the gate with its threshold and outcome.
type Check struct {
	Rule      string
	Threshold string
	Outcome   string
}

// Budget is what the caller's own budget was before and after. Units are those
// of the named budget; magnitudes stay within 2^53-1.
type Budget struct {
	Name   string
	Before int64
	After  int64
	Limit  int64
	Global string // GlobalWithinCap or empty
}

// validate applies every bound and returns the first field that breaks one.
func (s *Statement) validate() error {
	field := s.badName()
	if field == "" {
		field = s.badShape()
	}
	if field == "" {
		field = s.badParts()
	}
	if field != "" {
		return &FieldError{Field: field}
	}
	return nil
}

func (s *Statement) badName() string {
	switch {
	case !isName(s.Domain):
		return "domain"
	case !isName(s.Party):
		return "party"
	case !isName(s.Query):
		return "query"
	case !isText(s.Agreement, MaxName):
		return "agreement"
	case !isText(s.Scenario, MaxName):
		return "scenario"
	case !isText(s.Consent, MaxName):
		return "consent"
	case !isText(s.RulePack, MaxName):
		return "rule_pack"
	case !isText(s.Build, MaxName):
		return "build"
	case !isText(s.AllowedUse, MaxText):
		return "allowed_use"
	}
	return ""
}

func (s *Statement) badShape() string {
	switch {
	case s.Format != FormatStatement:
		return "format"
	case !isHex(s.ID, 32):
		return "id"
	case !isSerial(s.Serial):
		return "serial"
	case !isTime(s.Time):
		return "time"
	case !isKind(s.Kind):
		return "kind"
	case !isHex(s.Policy, 64):
		return "policy"
	case !isHex(s.Trust, 64):
		return "trust"
	case !isHex(s.Request, 64):
		return "request"
	case !isHex(s.Result, 64):
		return "result"
	case !isExpiry(s.Expires):
		return "expires"
	case s.Rows < 1 || s.Rows > MaxRows || s.Kind != KindBatch && s.Rows != 1:
		return "rows"
	}
	return ""
}

func (s *Statement) badParts() string {
	d, b := &s.Dataset, &s.Budget
	switch {
	case !isText(d.ID, MaxName) || !isText(d.Version, MaxName) ||
		!isText(d.AsOf, MaxName) || !isText(d.Source, MaxName):
		return "dataset"
	case !isText(b.Name, MaxName) || !isCount(b.Before) || !isCount(b.After) || !isCount(b.Limit) ||
		b.Global != "" && b.Global != GlobalWithinCap:
		return "budget"
	case !isText(s.Technique.Name, MaxName) || len(s.Technique.Params) > MaxParams:
		return "technique"
	case len(s.Checks) > MaxChecks:
		return "checks"
	}
	for key, value := range s.Technique.Params {
		if !isName(key) || !isText(value, MaxName) {
			return "technique.params"
		}
	}
	for i := range s.Checks {
		c := &s.Checks[i]
		if !isName(c.Rule) || !isText(c.Threshold, MaxName) || !isText(c.Outcome, MaxName) {
			return "checks"
		}
	}
	return ""
}

func isCount(n int64) bool { return n >= -MaxInteger && n <= MaxInteger }

func isName(s string) bool { return s != "" && isText(s, MaxName) }

func isKind(s string) bool {
	switch s {
	case KindVerify, KindBatch, KindTable, KindMasked, KindScore, KindEncrypted:
		return true
	}
	return false
}

// isSerial accepts YM-YYYYMMDD-NNNNNNNNNNNN.
func isSerial(s string) bool {
	const shape = "YM-00000000-000000000000"
	if len(s) != len(shape) {
		return false
	}
	for i := range len(shape) {
		digit := s[i] >= '0' && s[i] <= '9'
		if shape[i] == '0' && !digit || shape[i] != '0' && s[i] != shape[i] {
			return false
		}
	}
	return true
}

// timeLayout is the one form of a statement's time.
const timeLayout = "2006-01-02T15:04:05.000-07:00"

func isTime(s string) bool {
	if len(s) != len(timeLayout) || s[len(s)-6:] != "+08:00" || s[19] != '.' {
		return false
	}
	_, err := time.Parse(timeLayout, s)
	return err == nil
}

// beijing is UTC+8, which has had no daylight saving since 1991.
func beijing() *time.Location { return time.FixedZone("", 8*60*60) }

// FormatTime writes t as a statement's time, cut to milliseconds.
func FormatTime(t time.Time) string { return t.In(beijing()).Format(timeLayout) }

func isExpiry(s string) bool {
	return s == "" || isMoment(s)
}

// expiry returns the moment after which the result may no longer be used; a
// day counts to its end in Beijing.
func expiry(s string) (time.Time, error) {
	at, err := moment(s)
	if len(s) == len(time.DateOnly) {
		at = at.AddDate(0, 0, 1)
	}
	return at, err
}
