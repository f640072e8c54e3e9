package generalize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

const ruleDate = "not a date of the years 0 to 9999"

// dates gives the period a date lies in: 1990s, 1990, 1990Q2, 1990-04; or the
// period's first day in the type of the column.
type dates struct {
	period string
	label  bool
}

func newDate(p Params) (kernel.Kernel, error) {
	if err := p.only("as"); err != nil {
		return nil, err
	}
	label, err := p.label()
	if err != nil {
		return nil, err
	}
	return &dates{period: p.To, label: label}, nil
}

// Type accepts date32, date64, timestamp, and text of the form 2006-01-02 or 20060102.
// A timestamp is read in its own time zone; one without is wall-clock time.
func (d *dates) Type(in arrow.DataType) (arrow.DataType, error) {
	switch t := in.(type) {
	case *arrow.Date32Type, *arrow.Date64Type:
	case *arrow.TimestampType:
		utc, err := isUTC(t)
		if err != nil {
			return nil, fmt.Errorf("time zone of %s: %w", t.Unit, err)
		}
		if !d.label && !utc {
			return nil, fmt.Errorf("as: start of a timestamp with a time zone: %w", kernel.ErrType)
		}
	case *arrow.StringType, *arrow.LargeStringType:
		if !d.label {
			return nil, fmt.Errorf("as: start of text: %w", kernel.ErrType)
		}
	default:
		return nil, fmt.Errorf("%s is not a date: %w", in, kernel.ErrType)
	}
	if d.label {
		return arrow.BinaryTypes.String, nil
	}
	return in, nil
}

func (d *dates) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	days, v, err := openDays(in)
	if err != nil {
		return nil, err
	}
	if d.label {
		return d.labels(env, days, v)
	}
	switch t := in.DataType().(type) {
	case *arrow.TimestampType:
		return d.stamps(env, days, v, t, ticks(t.Unit))
	case *arrow.Date64Type:
		return d.stamps(env, days, v, t, ticks(arrow.Millisecond))
	}
	return d.starts(env, days, v)
}

// width of a label of the period, all of one length.
func (d *dates) width() int {
	switch d.period {
	case "decade":
		return 5
	case "quarter":
		return 6
	case "month":
		return 7
	}
	return 4
}

func (d *dates) labels(env *kernel.Env, days []int32, v kernel.Validity) (arrow.Array, error) {
	width := d.width()
	w, err := kernel.NewWriter[int32](env.Alloc, len(days), len(days)*width)
	if err != nil {
		return nil, err
	}
	pos := 0
	for i, day := range days {
		switch {
		case v.Null(i):
		case day < minDay || day > maxDay:
			if err := env.Malformed(i, ruleDate); err != nil {
				w.Release()
				return nil, err
			}
		default:
			year, month := civil(day)
			d.write(w.Data[pos:pos+width], year, month)
			pos += width
		}
		w.Off[i+1] = int32(pos)
	}
	return w.Finish(env, v, arrow.BinaryTypes.String), nil
}

func (d *dates) write(dst []byte, year, month uint32) {
	switch d.period {
	case "decade":
		digits(dst, year-year%10)
		dst[4] = 's'
	case "quarter":
		digits(dst, year)
		dst[4], dst[5] = 'Q', byte('1'+(month-1)/3)
	case "month":
		digits(dst, year)
		dst[4], dst[5], dst[6] = '-', byte('0'+month/10), byte('0'+month%10)
	default:
		digits(dst, year)
	}
}

// digits writes a year of four digits.
func digits(dst []byte, year uint32) {
	high, low := year/100, year%100
	binary.LittleEndian.PutUint32(dst, 0x30303030|
		high/10|high%10<<8|low/10<<16|low%10<<24)
}

// first is the first day of the period a day lies in.
func (d *dates) first(day int32) int32 {
	year, month := civil(day)
	switch d.period {
	case "decade":
		return dayOf(year-year%10, 1)
	case "quarter":
		return dayOf(year, (month-1)/3*3+1)
	case "month":
		return dayOf(year, month)
	}
	return dayOf(year, 1)
}

func (d *dates) starts(env *kernel.Env, days []int32, v kernel.Validity) (arrow.Array, error) {
	out := kernel.Zeroed(env.Alloc, len(days)*4)
	dst := arrow.Int32Traits.CastFromBytes(out.Bytes())
	for i, day := range days {
		switch {
		case v.Null(i):
		case day < minDay || day > maxDay:
			if err := env.Malformed(i, ruleDate); err != nil {
				out.Release()
				return nil, err
			}
		default:
			dst[i] = d.first(day)
		}
	}
	valid, nulls := env.Validity(v, len(days))
	return kernel.Build(arrow.FixedWidthTypes.Date32, len(days), nulls, valid, out), nil
}

func (d *dates) stamps(env *kernel.Env, days []int32, v kernel.Validity, t arrow.DataType, perSecond int64) (arrow.Array, error) {
	perDay := secondsPerDay * perSecond
	out := kernel.Zeroed(env.Alloc, len(days)*8)
	dst := arrow.Int64Traits.CastFromBytes(out.Bytes())
	for i, day := range days {
		if v.Null(i) {
			continue
		}
		ok := day >= minDay && day <= maxDay
		if ok {
			first := int64(d.first(day))
			// The first day may lie before what nanoseconds can count.
			ok = first >= math.MinInt64/perDay && first <= math.MaxInt64/perDay
			dst[i] = first * perDay
		}
		if !ok {
			dst[i] = 0
			if err := env.Malformed(i, ruleDate); err != nil {
				out.Release()
				return nil, err
			}
		}
	}
	valid, nulls := env.Validity(v, len(days))
	return kernel.Build(t, len(days), nulls, valid, out), nil
}

var errZone = errors.New("not known on this machine")
