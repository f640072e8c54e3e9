package pseudonym

import (
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/yumen-project/yumen/masking/identifier"
)

// Bounds and defaults of the parameters. With 80 bits, two of a thousand
// million different values collide with a probability below one in a million;
// with 128 bits, below one in 10^20.
const (
	MinBits     = 80
	MaxBits     = 256
	DefaultBits = 128
	MaxPrefix   = 32 // bytes
)

// The encodings, both in lower case and without padding.
const (
	Hex    = "hex"
	Base32 = "base32" // RFC 4648: a to z, 2 to 7
)

// Params is a literal; New checks it.
type Params struct {
	Bits     int             // of the code that are kept, a multiple of 8; 0 means DefaultBits
	Encoding string          // Hex or Base32; "" means Hex
	Type     identifier.Kind // bring values into the canonical form of this kind first; "" takes them as they are
	Prefix   string          // printable text before every code
}

// Parse reads bits, encoding, type and prefix.
func Parse(params map[string]string) (Params, error) {
	var p Params
	for name, v := range params {
		switch name {
		case "bits":
			n, err := strconv.ParseUint(v, 10, 16)
			if err != nil || n == 0 || strconv.FormatUint(n, 10) != v {
				return Params{}, errBits
			}
			p.Bits = int(n)
		case "encoding":
			if v == "" {
				return Params{}, errEncoding
			}
			p.Encoding = v
		case "type":
			k, err := identifier.ParseKind(v)
			if err != nil {
				return Params{}, fmt.Errorf("parameter type: %w", err)
			}
			p.Type = k
		case "prefix":
			p.Prefix = v
		default:
			return Params{}, fmt.Errorf("parameter %q is unknown to pseudonym", name)
		}
	}
	return p, p.check()
}

var (
	errBits     = fmt.Errorf("parameter bits: want a multiple of 8 from %d to %d", MinBits, MaxBits)
	errEncoding = errors.New("parameter encoding: want hex or base32")
	errPrefix   = fmt.Errorf("parameter prefix: want at most %d bytes of printable text", MaxPrefix)
)

// check fills in the defaults and refuses what is out of bounds.
func (p *Params) check() error {
	if p.Bits == 0 {
		p.Bits = DefaultBits
	}
	if p.Encoding == "" {
		p.Encoding = Hex
	}
	switch {
	case p.Bits < MinBits || p.Bits > MaxBits || p.Bits%8 != 0:
		return errBits
	case p.Encoding != Hex && p.Encoding != Base32:
		return errEncoding
	case len(p.Prefix) > MaxPrefix || !utf8.ValidString(p.Prefix):
		return errPrefix
	}
	for _, r := range p.Prefix {
		if !unicode.IsPrint(r) {
			return errPrefix
		}
	}
	if p.Type != "" {
		if _, err := identifier.ParseKind(string(p.Type)); err != nil {
			return fmt.Errorf("parameter type: %w", err)
		}
	}
	return nil
}
