// Package fpe enciphers values so that their form stays: digits stay digits,
// a resident number stays a valid resident number (ISO/IEC 20889:
// format-preserving encryption, 保留格式加密). The method is FF1 of NIST SP
// 800-38G, under the domain rule of its Revision 1, with SM4 (GB/T 32907) as
// the block cipher: FF1 with SM4, not a standardised pair. Anyone who holds
// the key can reverse it.
//
// What is protected: the enciphered characters, from whoever lacks the key;
// values of fewer than 10^6 possibilities are refused. SM4 keys are derived
// from the key given by labelled HMAC-SM3, so that types, domains and text do
// not share one.
//
// What is not protected: the length, the place and kind of separators, the
// kept characters, and equality: equal values under one key and tweak come out
// equal, so that frequencies show. Nothing is authenticated: any text of the
// right form deciphers to something. A number that comes out may be the number
// of a real person or subscriber; only type resident with region unassigned
// excludes that. The key holder can try every phone number in an hour: keys
// are per recipient and scenario, and are destroyed at exit. What comes out is
// synthetic and must be labelled so; it is not anonymised.
package fpe

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Types of value (Params.Type).
const (
	TypeText     = "text"     // characters of an alphabet
	TypeResident = "resident" // citizen identification numbers, GB 11643
	TypePhone    = "phone"    // mainland mobile numbers
)

const (
	// MaxKept is how many characters of a direct identifier may stay.
	MaxKept = 6
	// maxKept bounds the kept characters of any column.
	maxKept  = 64
	maxTweak = 256
	minKey   = 16
	maxKey   = 64
)

// Params is a literal; New checks it.
type Params struct {
	Type string // text (also when empty), resident or phone
	// Alphabet of type text: digits (also when empty), lower, upper, alnum (0
	// to 9, a to z) or custom, whose characters are Symbols: 2 to 64 different
	// ones.
	Alphabet, Symbols string
	// Tweak separates columns under one key, up to 256 bytes. For text it is
	// the tweak of FF1; for numbers it goes into the derivation of the key.
	Tweak string
	// KeepFirst and KeepLast characters stay; Pass lists characters outside
	// the alphabet that stay where they are. Of type text only.
	KeepFirst, KeepLast int
	Pass                string
	// Identifier applies the limit of a direct identifier: KeepFirst +
	// KeepLast <= MaxKept.
	Identifier bool
	// Region of type resident: unassigned (also when empty), any or same.
	Region string
	// Old of type resident, for the fifteen-digit form: refuse (also when
	// empty) or upgrade.
	Old string
	// Domain of type resident is the version of its valid domain; the current
	// one, identifier.ResidentDomainVersion, when empty. From and To are the
	// first and last birthday in it, as 2006-01-02; DefaultFrom and DefaultTo
	// when empty.
	Domain, From, To string
}

// Parse reads type, alphabet, symbols, tweak, keep_first, keep_last, pass,
// region, old, domain, from and to.
func Parse(params map[string]string) (Params, error) {
	var p Params
	texts := map[string]*string{
		"type": &p.Type, "alphabet": &p.Alphabet, "symbols": &p.Symbols, "tweak": &p.Tweak,
		"pass": &p.Pass, "region": &p.Region, "old": &p.Old, "domain": &p.Domain,
		"from": &p.From, "to": &p.To,
	}
	counts := map[string]*int{"keep_first": &p.KeepFirst, "keep_last": &p.KeepLast}
	for name, v := range params {
		if at, ok := counts[name]; ok {
			n, err := strconv.ParseUint(v, 10, 8)
			if err != nil || strconv.FormatUint(n, 10) != v || n > maxKept {
				return p, fmt.Errorf("parameter %s: want a whole number from 0 to %d", name, maxKept)
			}
			*at = int(n)
			continue
		}
		at, ok := texts[name]
		if !ok {
			return p, fmt.Errorf("parameter %q is unknown to fpe", name)
		}
		if v == "" || !utf8.ValidString(v) {
			return p, fmt.Errorf("parameter %s: want UTF-8 text, not empty", name)
		}
		*at = v
	}
	return p, nil
}

// New checks the parameters and makes the kernel that enciphers. key is 16 to
// 64 random bytes; it is not kept.
func New(p Params, key []byte) (kernel.Kernel, error) { return open(p, key, false) }

// NewDecrypter makes the kernel that gives back what New with the same
// parameters and key has enciphered. It opens what masking has closed: for key
// holders, never on a way out.
func NewDecrypter(p Params, key []byte) (kernel.Kernel, error) { return open(p, key, true) }

func open(p Params, key []byte, back bool) (kernel.Kernel, error) {
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("fpe: want a key of %d to %d bytes", minKey, maxKey)
	}
	if len(p.Tweak) > maxTweak {
		return nil, fmt.Errorf("fpe: want a tweak of %d bytes at most", maxTweak)
	}
	k, err := p.open(key, back)
	if err != nil {
		return nil, fmt.Errorf("fpe: %w", err)
	}
	return k, nil
}

func (p Params) open(key []byte, back bool) (kernel.Kernel, error) {
	switch p.Type {
	case "", TypeText:
		return newText(p, key, back)
	case TypeResident:
		return newResident(p, key, back)
	case TypePhone:
		return newPhone(p, key, back)
	}
	return nil, errors.New("parameter type: want text, resident or phone")
}

// only refuses parameters that mean nothing to the type.
func (p Params) only(names ...string) error {
	given := map[string]bool{
		"alphabet": p.Alphabet != "", "symbols": p.Symbols != "", "pass": p.Pass != "",
		"keep_first": p.KeepFirst != 0, "keep_last": p.KeepLast != 0,
		"region": p.Region != "", "old": p.Old != "", "domain": p.Domain != "",
		"from": p.From != "", "to": p.To != "",
	}
	for _, n := range names {
		delete(given, n)
	}
	for _, n := range slices.Sorted(maps.Keys(given)) {
		if given[n] {
			return fmt.Errorf("parameter %s means nothing to this type", n)
		}
	}
	return nil
}

// engineFor derives an SM4 key for one use: the label, then each part, every
// one with its length before it.
func engineFor(key []byte, parts ...string) (*engine, error) {
	h := hmac.New(sm3.New, key)
	for _, s := range append([]string{"yumen masking fpe 1: FF1 with SM4"}, parts...) {
		h.Write([]byte{byte(len(s) >> 8), byte(len(s))})
		h.Write([]byte(s))
	}
	return newSM4(h.Sum(nil)[:blockSize])
}
