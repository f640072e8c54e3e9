package lookup

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

// test evaluates one predicate over a column: it ors bit into out[i] for every
// row i where the predicate holds. Null never holds. The column is of the type
// the test was compiled for, and len(out) is its length.
type test interface {
	mark(col arrow.Array, bit uint64, out []uint64)
}

// values is what every typed Arrow array offers.
type values[T any] interface {
	Value(int) T
	IsNull(int) bool
	Len() int
}

// span holds for lo <= v <= hi, or for the opposite where negate is set.
type span[T any] struct {
	lo, hi T
	leq    func(a, b T) bool
	negate bool
	cast   func(arrow.Array) values[T]
}

func (s *span[T]) mark(col arrow.Array, bit uint64, out []uint64) {
	arr := s.cast(col)
	for i := range out {
		if arr.IsNull(i) {
			continue
		}
		v := arr.Value(i)
		if (s.leq(s.lo, v) && s.leq(v, s.hi)) != s.negate {
			out[i] |= bit
		}
	}
}

// set holds for the values in it, or for all others where negate is set.
type set[T comparable] struct {
	in     map[T]struct{}
	negate bool
	cast   func(arrow.Array) values[T]
}

func (s *set[T]) mark(col arrow.Array, bit uint64, out []uint64) {
	arr := s.cast(col)
	for i := range out {
		if arr.IsNull(i) {
			continue
		}
		if _, ok := s.in[arr.Value(i)]; ok != s.negate {
			out[i] |= bit
		}
	}
}

// domain is what the compiler must know of one ordered type.
type domain[T comparable] struct {
	parse    func(string) (T, error)
	min, max T
	leq      func(a, b T) bool
	step     func(v T, up bool) T // the neighbour; v is neither min nor max then
	exact    bool                 // equality means something
	cast     func(arrow.Array) values[T]
}

func compileTest(p *Predicate, t arrow.DataType) (test, error) {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		return compileSet(p, parseText, castTo[string])
	case *arrow.BooleanType:
		return compileSet(p, parseBool, castTo[bool])
	case *arrow.Int64Type:
		return compileOrdered(p, intDomain(parseInt, castTo[int64]))
	case *arrow.Date32Type:
		return compileOrdered(p, intDomain(parseDate, castDate))
	case *arrow.TimestampType:
		return compileOrdered(p, intDomain(func(s string) (int64, error) { return parseTimestamp(s, t) }, castTimestamp))
	case *arrow.Float64Type:
		return compileOrdered(p, floatDomain())
	case *arrow.Decimal128Type:
		return compileOrdered(p, decimalDomain(t))
	}
	return nil, fmt.Errorf("%w: fields of type %s have no predicates", ErrProgram, t.Name())
}

// compileSet serves the types without an order: equality and membership.
func compileSet[T comparable](p *Predicate, parse func(string) (T, error), cast func(arrow.Array) values[T]) (test, error) {
	if p.Kind == Band || p.Kind == Compare && p.Op != "=" && p.Op != "!=" {
		return nil, fmt.Errorf("%w: the field's type has no order", ErrProgram)
	}
	literals := p.Values
	if p.Kind != Member {
		literals = []string{p.Value}
	}
	in, err := parseAll(literals, parse)
	if err != nil {
		return nil, err
	}
	return &set[T]{in: in, negate: p.Op == "!=", cast: cast}, nil
}

func parseAll[T comparable](literals []string, parse func(string) (T, error)) (map[T]struct{}, error) {
	in := make(map[T]struct{}, len(literals))
	for _, s := range literals {
		v, err := parse(s)
		if err != nil {
			return nil, err
		}
		in[v] = struct{}{}
	}
	return in, nil
}

func compileOrdered[T comparable](p *Predicate, d domain[T]) (test, error) {
	equality := p.Kind == Equals || p.Kind == Member || p.Op == "=" || p.Op == "!="
	if equality && !d.exact {
		return nil, fmt.Errorf("%w: a float has no exact equality", ErrProgram)
	}
	switch p.Kind {
	case Member:
		in, err := parseAll(p.Values, d.parse)
		return &set[T]{in: in, cast: d.cast}, err
	case Band:
		return d.band(p.Low, p.High)
	}
	op := p.Op
	if p.Kind == Equals {
		op = "="
	}
	return d.compare(op, p.Value)
}

func (d domain[T]) band(low, high string) (test, error) {
	lo, err := d.parse(low)
	if err != nil {
		return nil, err
	}
	hi, err := d.parse(high)
	if err != nil {
		return nil, err
	}
	if d.leq(hi, lo) {
		return nil, literalError("low is not below high")
	}
	return d.span(lo, d.step(hi, false), false), nil
}

func (d domain[T]) compare(op, value string) (test, error) {
	v, err := d.parse(value)
	if err != nil {
		return nil, err
	}
	if op == "<" && v == d.min || op == ">" && v == d.max {
		return nil, literalError("nothing lies beyond it")
	}
	switch op {
	case "=", "!=":
		return d.span(v, v, op == "!="), nil
	case "<":
		return d.span(d.min, d.step(v, false), false), nil
	case "<=":
		return d.span(d.min, v, false), nil
	case ">":
		return d.span(d.step(v, true), d.max, false), nil
	case ">=":
		return d.span(v, d.max, false), nil
	}
	return nil, fmt.Errorf("%w: op is not one of = != < <= > >=", ErrProgram)
}

func (d domain[T]) span(lo, hi T, negate bool) test {
	return &span[T]{lo: lo, hi: hi, leq: d.leq, negate: negate, cast: d.cast}
}

func intDomain(parse func(string) (int64, error), cast func(arrow.Array) values[int64]) domain[int64] {
	return domain[int64]{
		parse: parse, min: math.MinInt64, max: math.MaxInt64, exact: true, cast: cast,
		leq: func(a, b int64) bool { return a <= b },
		step: func(v int64, up bool) int64 {
			if up {
				return v + 1
			}
			return v - 1
		},
	}
}

// floatDomain: no comparison holds for NaN.
func floatDomain() domain[float64] {
	return domain[float64]{
		parse: parseFloat, min: math.Inf(-1), max: math.Inf(1), cast: castTo[float64],
		leq: func(a, b float64) bool { return a <= b },
		step: func(v float64, up bool) float64 {
			if up {
				return math.Nextafter(v, math.Inf(1))
			}
			return math.Nextafter(v, math.Inf(-1))
		},
	}
}

func decimalDomain(t *arrow.Decimal128Type) domain[decimal128.Num] {
	one := decimal128.FromI64(1)
	return domain[decimal128.Num]{
		parse: func(s string) (decimal128.Num, error) { return parseDecimal(s, t) },
		min:   decimal128.New(math.MinInt64, 0), max: decimal128.New(math.MaxInt64, math.MaxUint64),
		exact: true, cast: castTo[decimal128.Num],
		leq: func(a, b decimal128.Num) bool { return !b.Less(a) },
		step: func(v decimal128.Num, up bool) decimal128.Num {
			if up {
				return v.Add(one)
			}
			return v.Sub(one)
		},
	}
}

func parseText(s string) (string, error) {
	if len(s) > maxLiteral {
		return "", literalError("longer than 256 bytes")
	}
	return s, nil
}

// castTo views a column as its typed values. Schemas are compared before any
// test runs, so a column of another type is an empty view that nothing reads.
func castTo[T any](a arrow.Array) values[T] {
	v, _ := a.(values[T])
	return v
}

type dates struct{ *array.Date32 }

func (d dates) Value(i int) int64 { return int64(d.Date32.Value(i)) }

func castDate(a arrow.Array) values[int64] {
	d, _ := a.(*array.Date32)
	return dates{d}
}

type timestamps struct{ *array.Timestamp }

func (t timestamps) Value(i int) int64 { return int64(t.Timestamp.Value(i)) }

func castTimestamp(a arrow.Array) values[int64] {
	t, _ := a.(*array.Timestamp)
	return timestamps{t}
}
