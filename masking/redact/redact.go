// Package redact covers characters of text with a mask character (ISO/IEC
// 20889: masking, 遮蔽): the first and the last characters may stay.
//
// What is protected: the covered characters. A value that would be left whole
// is covered whole; of a direct identifier at least half of each value is
// covered, and at most six characters stay.
//
// What is not protected: the length of the value in characters, and the kept
// characters: six leading digits of a resident number are a district, and
// four trailing ones of a phone number leave one candidate in ten thousand.
// Equal values stay equal. On processors with AVX2 vectors do the work, chosen
// at run time; plain Go gives the same bytes.
package redact

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// MaxKept is how many characters of a direct identifier may stay. Six first
// and four last of a resident number leave 33 candidate birthdays when the
// year is known; they are refused.
const MaxKept = 6

const maxKeep = 1 << 16

// Params is a literal; New checks it.
type Params struct {
	KeepFirst int  // characters (Unicode code points) left at the start
	KeepLast  int  // characters left at the end
	Mask      rune // mask character; 0 means '*'
	// Identifier applies the limits of a direct identifier: KeepFirst +
	// KeepLast <= MaxKept, and a value of which more than half would stay is
	// covered whole.
	Identifier bool
}

// Parse reads keep_first, keep_last and mask.
func Parse(params map[string]string) (Params, error) {
	var p Params
	for name, v := range params {
		var err error
		switch name {
		case "keep_first":
			p.KeepFirst, err = count(v)
		case "keep_last":
			p.KeepLast, err = count(v)
		case "mask":
			r, size := utf8.DecodeRuneInString(v)
			if size != len(v) || r == utf8.RuneError {
				return p, fmt.Errorf("parameter mask: want one character")
			}
			p.Mask = r
		default:
			return p, fmt.Errorf("parameter %q is unknown to redact", name)
		}
		if err != nil {
			return p, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return p, nil
}

func count(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("want a whole number from 0 to %d", maxKeep-1)
	}
	return int(n), nil
}

// New checks the parameters and makes the kernel.
func New(p Params) (kernel.Kernel, error) {
	if p.KeepFirst < 0 || p.KeepLast < 0 || p.KeepFirst >= maxKeep || p.KeepLast >= maxKeep {
		return nil, fmt.Errorf("redact: want keep_first and keep_last from 0 to %d", maxKeep-1)
	}
	if p.Identifier && p.KeepFirst+p.KeepLast > MaxKept {
		return nil, fmt.Errorf("redact: a direct identifier may keep %d characters at most", MaxKept)
	}
	if p.Mask == 0 {
		p.Mask = '*'
	}
	if p.Mask < 0x20 || p.Mask == 0x7f || !utf8.ValidRune(p.Mask) {
		return nil, fmt.Errorf("redact: mask is not a printable character")
	}
	r := &redactor{wide: hasLanes(), first: p.KeepFirst, last: p.KeepLast, mask: utf8.AppendRune(nil, p.Mask)}
	r.least = r.first + r.last + 1
	if p.Identifier {
		r.least = max(r.least, 2*(r.first+r.last))
	}
	if len(r.mask) == 1 {
		r.page = bytes.Repeat(r.mask, pageSize)
	}
	return r, nil
}

type redactor struct {
	wide        bool // vectors are used
	first, last int
	least       int // characters of the shortest value of which some stay
	mask        []byte
	page        []byte // mask characters, if they are of one byte
}

// keeps says how many first and last characters stay of a value of n.
func (r *redactor) keeps(n int) (first, last int) {
	if n < r.least {
		return 0, 0
	}
	return r.first, r.last
}

func (*redactor) Type(in arrow.DataType) (arrow.DataType, error) {
	if in.ID() == arrow.STRING || in.ID() == arrow.LARGE_STRING {
		return in, nil
	}
	return nil, fmt.Errorf("%s is not text: %w", in, kernel.ErrType)
}

func (r *redactor) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if in.DataType().ID() == arrow.LARGE_STRING {
		return maskText[int64](r, env, in)
	}
	return maskText[int32](r, env, in)
}

func maskText[O kernel.Offset](r *redactor, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if out, err := fixed(r, env, s, in.DataType()); out != nil || err != nil {
		return out, err
	}
	if err := check(r, s); err != nil {
		return nil, err
	}
	return generic(r, env, s, in.DataType())
}

// check is s.Check.
func check[O kernel.Offset](r *redactor, s kernel.Strings[O]) error {
	if r.wide {
		done, ok := orderedLanes(s.Off[:s.N+1])
		if !ok {
			return kernel.ErrCorrupt
		}
		s.Off, s.N = s.Off[done:], s.N-done
	}
	return s.Check()
}
