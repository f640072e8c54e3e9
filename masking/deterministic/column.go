package deterministic

import (
	"crypto/subtle"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

const (
	ruleUTF8 = "text is not UTF-8"
	ruleLong = "text is longer than 1 MiB"
	ruleOpen = "not made by this key for this column"
)

type sealer struct {
	keys *keys
	code coding
	back bool
}

// Type accepts text.
func (*sealer) Type(in arrow.DataType) (arrow.DataType, error) {
	if in.ID() == arrow.STRING || in.ID() == arrow.LARGE_STRING {
		return in, nil
	}
	return nil, fmt.Errorf("%s is not text: %w", in, kernel.ErrType)
}

func (s *sealer) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if in.DataType().ID() == arrow.LARGE_STRING {
		return mask[int64](s, env, in)
	}
	return mask[int32](s, env, in)
}

func mask[O kernel.Offset](k *sealer, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	w, err := kernel.NewWriter[O](env.Alloc, s.N, room(k, s))
	if err != nil {
		return nil, err
	}
	c := &column[O]{k: k, env: env, s: s, out: w, work: &worker{keys: k.keys}}
	defer c.work.wipe()
	for from := 0; from < s.N; {
		if from, err = c.chunk(from); err != nil {
			w.Release()
			return nil, err
		}
	}
	return w.Finish(env, s.Valid, in.DataType()), nil
}

// room is how much the results take at most.
func room[O kernel.Offset](k *sealer, s kernel.Strings[O]) int {
	if k.back {
		return s.Span()
	}
	size := 0
	for i := range s.N {
		if n := int(s.Off[i+1] - s.Off[i]); n <= maxValue && !s.Valid.Null(i) {
			size += k.code.size(ivSize + n)
		}
	}
	return size
}

// column is one call of Mask.
type column[O kernel.Offset] struct {
	k     *sealer
	env   *kernel.Env
	s     kernel.Strings[O]
	out   *kernel.Writer[O]
	work  *worker
	pos   int
	rules [chunk]string
	ivs   [chunk * ivSize]byte // as read, where values are opened
}

// chunk treats rows from one on and returns the first row left.
func (c *column[O]) chunk(from int) (int, error) {
	w := c.work
	w.reset()
	to := from
	for ; to < min(c.s.N, from+chunk) && !w.full(); to++ {
		c.rules[to-from] = ""
		if !c.s.Valid.Null(to) {
			c.rules[to-from] = c.take(c.s.At(to))
		}
	}
	if c.k.back {
		w.open()
	} else {
		w.seal()
	}
	at := 0
	for i := from; i < to; i++ {
		rule := c.rules[i-from]
		if rule == "" && !c.s.Valid.Null(i) {
			rule = c.write(at)
			at++
		}
		if rule != "" {
			if err := c.env.Malformed(i, rule); err != nil {
				return 0, err
			}
		}
		c.out.Off[i+1] = O(c.pos)
	}
	return to, nil
}

// take adds a value to the chunk, or gives the rule it breaks.
func (c *column[O]) take(v []byte) string {
	w, code := c.work, c.k.code
	if !c.k.back {
		switch {
		case len(v) > maxValue:
			return ruleLong
		case !utf8.Valid(v):
			return ruleUTF8
		}
		w.add(v)
		return ""
	}
	if len(v) > code.size(ivSize+maxValue) {
		return ruleOpen
	}
	if cap(w.sealed) < len(v) {
		w.sealed = make([]byte, len(v))
	}
	raw := w.sealed[:len(v)]
	n, err := code.decode(raw, v)
	if err != nil || n < ivSize {
		return ruleOpen
	}
	iv, sealed := raw[:ivSize], raw[ivSize:n]
	copy(c.ivs[(len(w.off)-1)*ivSize:], iv)
	w.add(sealed)
	w.count(iv, len(sealed))
	return ""
}

// write writes the result of value at of the chunk, or gives the rule it breaks.
func (c *column[O]) write(at int) string {
	w, code := c.work, c.k.code
	v, iv := w.value(at), w.iv(at)
	if c.k.back {
		if subtle.ConstantTimeCompare(iv, c.ivs[at*ivSize:(at+1)*ivSize]) != 1 {
			return ruleOpen
		}
		c.pos += copy(c.out.Data[c.pos:], v)
		return ""
	}
	if cap(w.sealed) < ivSize+len(v) {
		w.sealed = make([]byte, ivSize+len(v))
	}
	raw := append(append(w.sealed[:0], iv...), v...)
	size := code.size(len(raw))
	code.encode(c.out.Data[c.pos:c.pos+size], raw)
	c.pos += size
	return ""
}
