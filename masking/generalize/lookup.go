package generalize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

const ruleHierarchy = "value is not in the hierarchy"

// lookup writes the label a value has at one level of a hierarchy.
type lookup struct {
	ids   map[string]int64 // value to position of its label
	texts []string
}

func newHierarchyKernel(p Params) (kernel.Kernel, error) {
	if err := p.only("table", "separator", "level"); err != nil {
		return nil, err
	}
	separator := ';'
	if p.Separator != "" {
		r, size := utf8.DecodeRuneInString(p.Separator)
		if size != len(p.Separator) || r == '"' || r == '\r' || r == '\n' || r == utf8.RuneError {
			return nil, errors.New("parameter separator: want one character")
		}
		separator = r
	}
	h, err := ParseHierarchy(p.Table, separator)
	if err != nil {
		return nil, fmt.Errorf("parameter table: %w", err)
	}
	level, err := strconv.Atoi(p.Level)
	if err != nil || level < 1 || level > h.Levels() {
		return nil, fmt.Errorf("parameter level: want 1 to %d", h.Levels())
	}
	l := &lookup{ids: make(map[string]int64, len(h.rows))}
	at := make(map[string]int64)
	for value, row := range h.rows {
		id, ok := at[row[level]]
		if !ok {
			id = int64(len(l.texts))
			at[row[level]] = id
			l.texts = append(l.texts, row[level])
		}
		l.ids[value] = id
	}
	same := 0
	for value, id := range l.ids {
		if l.texts[id] == value {
			same++
		}
	}
	if same == len(l.ids) {
		return nil, errors.New("parameter level: every value would stay as it is")
	}
	return l, nil
}

func (*lookup) Type(in arrow.DataType) (arrow.DataType, error) {
	if in.ID() == arrow.STRING || in.ID() == arrow.LARGE_STRING || arrow.IsInteger(in.ID()) {
		return arrow.BinaryTypes.String, nil
	}
	return nil, fmt.Errorf("%s is neither text nor a whole number: %w", in, kernel.ErrType)
}

func (l *lookup) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	switch in.DataType().ID() {
	case arrow.STRING:
		return lookupText[int32](l, env, in)
	case arrow.LARGE_STRING:
		return lookupText[int64](l, env, in)
	}
	c, err := openNumbers(in)
	if err != nil {
		return nil, err
	}
	var digits []byte
	return l.rows(env, c.n, c.valid, func(i int) []byte {
		v, r := c.integer(i)
		digits = strconv.AppendInt(digits[:0], v, 10)
		if r != inside { // of 64 bits without a sign
			digits = strconv.AppendUint(digits[:0], binary.NativeEndian.Uint64(c.raw[i*8:]), 10)
		}
		return digits
	})
}

func lookupText[O kernel.Offset](l *lookup, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return l.rows(env, s.N, s.Valid, s.At)
}

func (l *lookup) rows(env *kernel.Env, n int, v kernel.Validity, value func(int) []byte) (arrow.Array, error) {
	out := newLabels(env, n)
	for i := range n {
		if v.Null(i) {
			out.skip()
			continue
		}
		id, ok := l.ids[string(value(i))]
		if !ok {
			if err := env.Malformed(i, ruleHierarchy); err != nil {
				return nil, err
			}
			out.skip()
			continue
		}
		out.add(id, l.text)
	}
	return out.finish(v)
}

func (l *lookup) text(dst []byte, id int64) []byte { return append(dst, l.texts[id]...) }
