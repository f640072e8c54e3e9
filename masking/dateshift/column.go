package dateshift

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

const secondsPerDay = 86400

func perSecond(u arrow.TimeUnit) int64 {
	switch u {
	case arrow.Millisecond:
		return 1e3
	case arrow.Microsecond:
		return 1e6
	case arrow.Nanosecond:
		return 1e9
	}
	return 1
}

// days shifts a date32 column.
func (s *shifter) days(env *kernel.Env, in arrow.Array, who *subjects) (arrow.Array, error) {
	raw, v, err := kernel.OpenFixed(in, 4)
	if err != nil {
		return nil, err
	}
	out := kernel.Zeroed(env.Alloc, in.Len()*4)
	dst := arrow.GetData[int32](out.Bytes())
	err = s.rows(env, in.Len(), v, who, func(row int, days int32) bool {
		to := int64(arrow.GetData[int32](raw)[row]) + int64(days)
		if to < math.MinInt32 || to > math.MaxInt32 {
			return false
		}
		dst[row] = int32(to)
		return true
	})
	if err != nil {
		out.Release()
		return nil, err
	}
	valid, nulls := env.Validity(v, in.Len())
	return kernel.Build(in.DataType(), in.Len(), nulls, valid, out), nil
}

// ticks shifts a column of 64-bit values of which perDay make a day.
func (s *shifter) ticks(env *kernel.Env, in arrow.Array, who *subjects, perDay int64) (arrow.Array, error) {
	raw, v, err := kernel.OpenFixed(in, 8)
	if err != nil {
		return nil, err
	}
	out := kernel.Zeroed(env.Alloc, in.Len()*8)
	dst := arrow.GetData[int64](out.Bytes())
	err = s.rows(env, in.Len(), v, who, func(row int, days int32) bool {
		from := arrow.GetData[int64](raw)[row]
		by := int64(days) * perDay // MaxRange days of nanoseconds fit
		to := from + by
		if (by > 0) != (to > from) && by != 0 {
			return false
		}
		dst[row] = to
		return true
	})
	if err != nil {
		out.Release()
		return nil, err
	}
	valid, nulls := env.Validity(v, in.Len())
	return kernel.Build(in.DataType(), in.Len(), nulls, valid, out), nil
}

// rows calls move for every row that is not null with the shift of its
// subject, and reports the rows that have none or that move refuses.
func (s *shifter) rows(env *kernel.Env, n int, v kernel.Validity, who *subjects, move func(row int, days int32) bool) error {
	for i := range n {
		if v.Null(i) {
			continue
		}
		rule := ruleDate
		days, ok := who.shift(s.draw, i)
		if !ok {
			rule = ruleSubject
		}
		if !ok || !move(i, days) {
			if err := env.Malformed(i, rule); err != nil {
				return err
			}
		}
	}
	return nil
}

func shiftText[O kernel.Offset](k *shifter, env *kernel.Env, in arrow.Array, who *subjects) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	w, err := kernel.NewWriter[O](env.Alloc, s.N, s.Span())
	if err != nil {
		return nil, err
	}
	pos, last := 0, 0
	err = k.rows(env, s.N, s.Valid, who, func(row int, days int32) bool {
		for ; last < row; last++ {
			w.Off[last+1] = O(pos)
		}
		v := s.At(row)
		day, ok := parseDay(v)
		if day += days; !ok || day < minDay || day > maxDay {
			return false
		}
		writeDay(w.Data[pos:pos+len(v)], day)
		pos += len(v)
		return true
	})
	if err != nil {
		w.Release()
		return nil, err
	}
	for ; last < s.N; last++ {
		w.Off[last+1] = O(pos)
	}
	return w.Finish(env, s.Valid, in.DataType()), nil
}
