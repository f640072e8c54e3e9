// Package identifier brings personal and corporate identifiers into one
// canonical form and checks that they can exist.
//
// Registers write one number in many ways: full-width digits, a lower-case x,
// spaces, a country prefix, the fifteen-digit form of before 1999. Two registers
// agree on a person only after both spellings have passed through Canonical.
//
// What is protected: an error names the kind and the rule that failed and never
// holds the value, nor a part of it, nor its position in the input.
//
// What is not protected: a canonical form is as sensitive as its source, and a
// number that passes every rule here need not have been issued to anybody.
//
// The package stands on the standard library alone and keeps no state. Every
// function is safe for concurrent use.
package identifier

import "errors"

// Kind names a family of identifiers. The text is what configuration files use.
type Kind string

// The kinds known to this package.
const (
	ResidentID Kind = "resident_id" // citizen identification number, GB 11643-1999
	Mobile     Kind = "mobile"      // mainland mobile number, 11 digits
	CreditCode Kind = "credit_code" // unified social credit identifier, GB 32100-2015
	PersonName Kind = "person_name" // name of a natural person
	Opaque     Kind = "opaque"      // any text key of 1 to 128 bytes
	BankCard   Kind = "bank_card"   // card number, ISO/IEC 7812, 13 to 19 digits
)

// The rules an Error can name.
const (
	RuleKind      = "kind"      // the kind itself is unknown
	RuleEmpty     = "empty"     // nothing is left once separators are gone
	RuleEncoding  = "encoding"  // not valid UTF-8
	RuleLength    = "length"    // too short or too long
	RuleCharacter = "character" // a character the kind does not have
	RuleRegion    = "region"    // no such province, or region not numeric
	RuleDate      = "date"      // no such day, or outside 1800 to 2099
	RulePrefix    = "prefix"    // a leading digit or country prefix that is not assigned
	RuleCheck     = "check"     // the check character does not agree
)

// ErrKind is returned by ParseKind. The caller has a configuration to correct.
var ErrKind = errors.New("identifier: unknown kind, want one of " +
	"resident_id, mobile, credit_code, person_name, opaque, bank_card")

// Error says that a value has no canonical form. It never holds the value.
type Error struct {
	Kind Kind   // what the value was taken for
	Rule string // one of the Rule constants
}

// Error names the kind and the rule.
func (e *Error) Error() string {
	return "identifier " + string(e.Kind) + ": rule " + e.Rule
}

// ParseKind reads the name of a kind as it stands in a configuration file.
func ParseKind(s string) (Kind, error) {
	switch k := Kind(s); k {
	case ResidentID, Mobile, CreditCode, PersonName, Opaque, BankCard:
		return k, nil
	}
	return "", ErrKind
}

// Canonical returns the canonical form of s. It is idempotent: the canonical
// form of a canonical form is itself. An error is always an *Error.
func Canonical(k Kind, s string) (string, error) {
	var buf [stackLen]byte
	out, err := AppendCanonical(buf[:0], k, []byte(s))
	if err != nil {
		return "", err
	}
	if string(out) == s {
		return s, nil
	}
	return string(out), nil
}

// AppendCanonical appends the canonical form of s to dst and returns the longer
// slice. It allocates only when dst lacks room or the value is refused; s is
// neither kept nor changed. On error dst is returned as it came.
func AppendCanonical(dst []byte, k Kind, s []byte) ([]byte, error) {
	out, rule := dst, RuleKind
	switch k {
	case ResidentID:
		out, rule = appendResident(dst, s)
	case Mobile:
		out, rule = appendMobile(dst, s)
	case CreditCode:
		out, rule = appendCredit(dst, s)
	case PersonName:
		out, rule = appendName(dst, s)
	case Opaque:
		out, rule = appendOpaque(dst, s)
	case BankCard:
		out, rule = appendCard(dst, s)
	}
	if rule != "" {
		return dst, &Error{Kind: k, Rule: rule}
	}
	return out, nil
}

// stackLen is room for every canonical form: a name of 64 runes of 4 bytes.
const stackLen = 4 * maxNameRunes
