package fpe

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// newDomain is FF1 on the numbers below size: the smallest even count of
// numerals whose radix is allowed, and the smallest radix that covers size.
// What lies between size and radix^n goes round again. size is at least 10^6
// and below 2^60.
func (e *engine) newDomain(size uint64, tweak []byte) *shape {
	for n := 2; ; n += 2 {
		radix := root(size, n)
		if radix > maxRadix {
			continue
		}
		s, _ := e.newShape(radix, n, tweak)
		return s
	}
}

// root is the least r with r^n >= size; above maxRadix when there is none.
func root(size uint64, n int) int {
	low, high := 2, maxRadix+1
	for low < high {
		mid := (low + high) / 2
		if x, ok := power(mid, n); !ok || x >= size {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// ranked is a kind of value that is a number within a domain.
type ranked interface {
	// read gives the rank of a value and what else must be known to write the
	// result and to tweak the cipher, or the rule the value breaks.
	read(v []byte) (rank, extra uint64, rule string)
	// write appends the value of a rank, or gives the rule that it breaks.
	write(dst []byte, rank, extra uint64) ([]byte, string)
}

// integers enciphers values as ranks below size. All results have one width.
type integers struct {
	e     *engine
	s     *shape
	size  uint64
	width int
	back  bool
	kind  ranked
}

// Type accepts text.
func (*integers) Type(in arrow.DataType) (arrow.DataType, error) { return textType(in) }

func (k *integers) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if in.DataType().ID() == arrow.LARGE_STRING {
		return maskNumbers[int64](k, env, in)
	}
	return maskNumbers[int32](k, env, in)
}

func maskNumbers[O kernel.Offset](k *integers, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	vals, extra, rules := readNumbers(k, s)
	w, err := kernel.NewWriter[O](env.Alloc, s.N, s.N*k.width)
	if err != nil {
		return nil, err
	}
	pos := 0
	for i := range s.N {
		if !s.Valid.Null(i) {
			rule := rules[i]
			if rule == "" {
				_, rule = k.kind.write(w.Data[pos:pos:pos+k.width], vals[i].a*k.s.m[1]+vals[i].b, extra[i])
			}
			if rule == "" {
				pos += k.width
			} else if err := env.Malformed(i, rule); err != nil {
				w.Release()
				return nil, err
			}
		}
		w.Off[i+1] = O(pos)
	}
	return w.Finish(env, s.Valid, in.DataType()), nil
}

func readNumbers[O kernel.Offset](k *integers, s kernel.Strings[O]) (vals []halves, extra []uint64, rules []string) {
	vals, extra, rules = make([]halves, s.N), make([]uint64, s.N), make([]string, s.N)
	q := &lanes{e: k.e, s: k.s, back: k.back, limit: k.size, vals: vals}
	for i := range s.N {
		if s.Valid.Null(i) {
			continue
		}
		var rank uint64
		rank, extra[i], rules[i] = k.kind.read(s.At(i))
		if rules[i] != "" {
			continue
		}
		vals[i] = halves{rank / k.s.m[1], rank % k.s.m[1]}
		q.push(i, extra[i])
	}
	q.drain()
	return vals, extra, rules
}
