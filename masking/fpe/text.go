package fpe

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// maxNumerals bounds the enciphered characters of one value.
const maxNumerals = 1024

const (
	ruleUTF8   = "text is not UTF-8"
	ruleSymbol = "a character outside the alphabet"
	ruleDomain = "fewer than 10^6 possible values"
	ruleLong   = "more than 1024 characters to encipher"
)

// text enciphers the characters of an alphabet within text.
type text struct {
	e           *engine
	abc         *alphabet
	tweak       []byte
	first, last int
	least       int      // numerals that make 10^6 values
	shapes      []*shape // by number of numerals; beyond them, long
	back        bool
	plain       bool // every character is one byte and enciphered
}

func newText(p Params, key []byte, back bool) (kernel.Kernel, error) {
	if err := p.only("alphabet", "symbols", "pass", "keep_first", "keep_last"); err != nil {
		return nil, err
	}
	if p.KeepFirst < 0 || p.KeepLast < 0 || p.KeepFirst > maxKept || p.KeepLast > maxKept {
		return nil, fmt.Errorf("want keep_first and keep_last from 0 to %d", maxKept)
	}
	if p.Identifier && p.KeepFirst+p.KeepLast > MaxKept {
		return nil, fmt.Errorf("a direct identifier may keep %d characters at most", MaxKept)
	}
	if !utf8.ValidString(p.Tweak) {
		return nil, errors.New("parameter tweak: want UTF-8 text")
	}
	symbols, err := p.symbols()
	if err != nil {
		return nil, err
	}
	abc, err := newAlphabet(symbols, p.Pass)
	if err != nil {
		return nil, err
	}
	e, err := engineFor(key, TypeText, symbols)
	if err != nil {
		return nil, err
	}
	return newTextOn(e, abc, p, back), nil
}

func newTextOn(e *engine, abc *alphabet, p Params, back bool) *text {
	t := &text{e: e, abc: abc, tweak: []byte(p.Tweak), first: p.KeepFirst, last: p.KeepLast, back: back}
	radix := len(abc.symbols)
	t.plain = t.first+t.last == 0 && p.Pass == "" && abc.width == 1
	for x := 1; x < minDomain; x *= radix {
		t.least++
	}
	t.shapes = make([]*shape, t.least)
	for n := t.least; n <= maxNumerals; n++ {
		s, ok := e.newShape(radix, n, t.tweak)
		if !ok {
			break
		}
		t.shapes = append(t.shapes, s)
	}
	return t
}

// Type accepts text.
func (*text) Type(in arrow.DataType) (arrow.DataType, error) { return textType(in) }

func textType(in arrow.DataType) (arrow.DataType, error) {
	if in.ID() == arrow.STRING || in.ID() == arrow.LARGE_STRING {
		return in, nil
	}
	return nil, fmt.Errorf("%s is not text: %w", in, kernel.ErrType)
}

func (t *text) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if in.DataType().ID() == arrow.LARGE_STRING {
		return maskText[int64](t, env, in)
	}
	return maskText[int32](t, env, in)
}

func maskText[O kernel.Offset](t *text, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	vals := readText(t, s)
	w, err := kernel.NewWriter[O](env.Alloc, s.N, s.Span()*t.abc.width)
	if err != nil {
		return nil, err
	}
	buf, pos := &numbers{}, 0
	for i := range s.N {
		if !s.Valid.Null(i) {
			n, rule := t.write(w.Data[pos:], s.At(i), vals[i], buf)
			if rule != "" {
				if err := env.Malformed(i, rule); err != nil {
					w.Release()
					return nil, err
				}
			}
			pos += n
		}
		w.Off[i+1] = O(pos)
	}
	return w.Finish(env, s.Valid, in.DataType()), nil
}

// readText takes every value of at most two 64-bit halves through the rounds.
// Values that are null, malformed or too long are left for write.
func readText[O kernel.Offset](t *text, s kernel.Strings[O]) []halves {
	vals := make([]halves, s.N)
	queues := make([]*lanes, len(t.shapes))
	buf := &numbers{}
	for i := range s.N {
		if s.Valid.Null(i) {
			continue
		}
		n := t.read(s.At(i), &vals[i], buf)
		if n == 0 {
			continue
		}
		q := queues[n]
		if q == nil {
			q = &lanes{e: t.e, s: t.shapes[n], back: t.back, vals: vals}
			queues[n] = q
		}
		q.push(i, 0)
	}
	for _, q := range queues {
		if q != nil {
			q.drain()
		}
	}
	return vals
}

// read splits a value into its halves and returns how many numerals it has; 0
// if it is malformed or too long for halves.
func (t *text) read(v []byte, h *halves, b *numbers) int {
	if t.plain {
		return t.readPlain(v, h)
	}
	if rule := t.scan(v, b); rule != "" || b.n >= len(t.shapes) {
		return 0
	}
	*h = b.join(t.shapes[b.n])
	return b.n
}

// numbers holds the numerals of one value.
type numbers struct {
	n          int
	head, tail int // bytes of the value between the kept characters
	x          [maxNumerals]uint16
}

// join makes the two halves of the numerals.
func (b *numbers) join(s *shape) halves {
	var h halves
	radix := uint64(s.radix)
	for _, d := range b.x[:s.u] {
		h.a = h.a*radix + uint64(d)
	}
	for _, d := range b.x[s.u:s.n] {
		h.b = h.b*radix + uint64(d)
	}
	return h
}

// split is the reverse of join.
func (b *numbers) split(s *shape, h halves) {
	spread(b.x[:s.u], h.a, uint64(s.radix))
	spread(b.x[s.u:s.n], h.b, uint64(s.radix))
}

func spread(x []uint16, v, radix uint64) {
	if radix == 10 {
		for i := len(x) - 1; i >= 0; i-- {
			x[i] = uint16(v % 10)
			v /= 10
		}
		return
	}
	for i := len(x) - 1; i >= 0; i-- {
		x[i] = uint16(v % radix)
		v /= radix
	}
}

// scan reads the numerals of a value and returns the rule broken, or "".
func (t *text) scan(v []byte, b *numbers) string {
	b.n = 0
	if !t.bounds(v, b) {
		return ruleUTF8
	}
	for i := b.head; i < b.tail; {
		at, size := t.symbol(v, i)
		if i += size; at == passed {
			continue
		}
		if at == notSymbol {
			return ruleSymbol
		}
		if b.n == maxNumerals {
			return ruleLong
		}
		b.x[b.n] = uint16(at)
		b.n++
	}
	if b.n < t.least {
		return ruleDomain
	}
	return ""
}

// symbol gives the number and the size of the character at v[i].
func (t *text) symbol(v []byte, i int) (int8, int) {
	if c := v[i]; c < utf8.RuneSelf {
		return t.abc.byte[c], 1
	}
	r, size := utf8.DecodeRune(v[i:])
	return t.abc.of(r), size
}

// bounds finds where the kept characters end and begin again. It reports false
// for text that is not UTF-8.
func (t *text) bounds(v []byte, b *numbers) bool {
	b.head, b.tail = 0, len(v)
	if t.first+t.last == 0 {
		return true // scan reads every character
	}
	if !utf8.Valid(v) {
		return false
	}
	for k := 0; k < t.first && b.head < len(v); k++ {
		_, size := utf8.DecodeRune(v[b.head:])
		b.head += size
	}
	for k := 0; k < t.last && b.tail > b.head; k++ {
		_, size := utf8.DecodeLastRune(v[:b.tail])
		b.tail -= size
	}
	return true
}

// write puts the enciphered form of v, whose halves are h, into dst and
// returns its length, or the rule v breaks.
func (t *text) write(dst, v []byte, h halves, b *numbers) (int, string) {
	if t.plain && len(v) < len(t.shapes) && t.sound(v) {
		t.writePlain(dst[:len(v)], h)
		return len(v), ""
	}
	if rule := t.scan(v, b); rule != "" {
		return 0, rule
	}
	if b.n < len(t.shapes) {
		b.split(t.shapes[b.n], h)
	} else {
		t.e.long(len(t.abc.symbols), t.tweak, b.x[:b.n], t.back)
	}
	pos, next := copy(dst, v[:b.head]), 0
	for i := b.head; i < b.tail; {
		at, size := t.symbol(v, i)
		if at == passed {
			pos += copy(dst[pos:], v[i:i+size])
		} else {
			pos += copy(dst[pos:], t.abc.symbols[b.x[next]])
			next++
		}
		i += size
	}
	return pos + copy(dst[pos:], v[b.tail:]), ""
}
