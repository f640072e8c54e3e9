package generalize

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// regionLength is the length of an administrative division code (GB/T 2260):
// two digits each for province, city and county.
const regionLength = 6

const ruleRegion = "region code is not six digits"

// region keeps the first digits of a region code and writes 0 for the others.
type region struct{ digits int }

func newRegion(p Params) (kernel.Kernel, error) {
	if err := p.only("digits"); err != nil {
		return nil, err
	}
	switch p.Digits {
	case "2":
		return &region{digits: 2}, nil
	case "4":
		return &region{digits: 4}, nil
	}
	return nil, errors.New("parameter digits: want 2 or 4")
}

func (*region) Type(in arrow.DataType) (arrow.DataType, error) {
	if in.ID() == arrow.STRING || in.ID() == arrow.LARGE_STRING {
		return in, nil
	}
	return nil, fmt.Errorf("%s is not text: %w", in, kernel.ErrType)
}

func (r *region) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if in.DataType().ID() == arrow.LARGE_STRING {
		return maskRegion[int64](r, env, in)
	}
	return maskRegion[int32](r, env, in)
}

func maskRegion[O kernel.Offset](r *region, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	w, err := kernel.NewWriter[O](env.Alloc, s.N, s.N*regionLength)
	if err != nil {
		return nil, err
	}
	pos := 0
	for i := range s.N {
		if !s.Valid.Null(i) {
			code := s.At(i)
			if isRegion(code) {
				pos += copy(w.Data[pos:], code[:r.digits])
				pos += copy(w.Data[pos:], "0000"[:regionLength-r.digits])
			} else if err := env.Malformed(i, ruleRegion); err != nil {
				w.Release()
				return nil, err
			}
		}
		w.Off[i+1] = O(pos)
	}
	return w.Finish(env, s.Valid, in.DataType()), nil
}

func isRegion(b []byte) bool {
	if len(b) != regionLength {
		return false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
