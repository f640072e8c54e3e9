package redact

import (
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// generic treats text of any length and script: offsets and data in one pass.
func generic[O kernel.Offset](r *redactor, env *kernel.Env, s kernel.Strings[O], t arrow.DataType) (arrow.Array, error) {
	w, err := kernel.NewWriter[O](env.Alloc, s.N, s.Span()*len(r.mask))
	if err != nil {
		return nil, err
	}
	pos := 0
	for i := range s.N {
		if !s.Valid.Null(i) {
			v := s.At(i)
			if !utf8.Valid(v) {
				if err := env.Malformed(i, "text is not UTF-8"); err != nil {
					w.Release()
					return nil, err
				}
			} else {
				pos = r.cover(w.Data, pos, v)
			}
		}
		w.Off[i+1] = O(pos)
	}
	return w.Finish(env, s.Valid, t), nil
}

// cover writes the redacted value at pos and returns the end.
func (r *redactor) cover(dst []byte, pos int, v []byte) int {
	n := utf8.RuneCount(v)
	first, last := r.keeps(n)
	head := runeEnd(v, first)
	pos += copy(dst[pos:], v[:head])
	for range n - first - last {
		pos += copy(dst[pos:], r.mask)
	}
	return pos + copy(dst[pos:], v[runeStart(v, last):])
}

// runeEnd is the byte position behind the first k characters.
func runeEnd(v []byte, k int) int {
	i := 0
	for ; k > 0; k-- {
		_, size := utf8.DecodeRune(v[i:])
		i += size
	}
	return i
}

// runeStart is the byte position of the last k characters.
func runeStart(v []byte, k int) int {
	i := len(v)
	for ; k > 0; k-- {
		_, size := utf8.DecodeLastRune(v[:i])
		i -= size
	}
	return i
}
