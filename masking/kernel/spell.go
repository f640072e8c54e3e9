package kernel

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Spell writes a dictionary of text out as text of its value type, on fresh
// buffers. It serves techniques that treat a row by its place or its
// neighbours, for which a value masked once would not do.
func Spell(alloc memory.Allocator, in arrow.Array) (arrow.Array, error) {
	d, c, err := openDictionary(in, picker{all: true}, in.Len())
	if err != nil {
		return nil, err
	}
	if d.Dictionary().DataType().ID() == arrow.LARGE_STRING {
		return spell[int64](alloc, d.Dictionary(), c)
	}
	return spell[int32](alloc, d.Dictionary(), c)
}

func spell[O Offset](alloc memory.Allocator, dict arrow.Array, c coded) (arrow.Array, error) {
	s, err := OpenStrings[O](dict)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	env, size := &Env{Alloc: alloc}, 0
	for i, code := range c.codes {
		if code < 0 {
			env.malformed = append(env.malformed, i)
			continue
		}
		size += len(s.At(c.vals[code]))
	}
	w, err := NewWriter[O](alloc, len(c.codes), size)
	if err != nil {
		return nil, err
	}
	pos := 0
	for i, code := range c.codes {
		if code >= 0 {
			pos += copy(w.Data[pos:], s.At(c.vals[code]))
		}
		w.Off[i+1] = O(pos)
	}
	return w.Finish(env, Validity{}, dict.DataType()), nil
}
