package lookup

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
)

// The oracle keeps cells as exact rationals, texts or bools, and knows nothing
// of spans, sets, bits or Arrow.
type cell struct {
	null bool
	num  *big.Rat // nil for texts, bools, and numbers that are not finite
	inf  int
	nan  bool
	text string
}

type column struct {
	name  string
	kind  arrow.DataType
	draw  func(t *rapid.T) cell
	lit   func(c cell) string
	exact bool
	order bool
}

var anyColumns = []column{
	{name: "s", kind: arrow.BinaryTypes.String, draw: drawText, lit: litText, exact: true},
	{name: "ls", kind: arrow.BinaryTypes.LargeString, draw: drawText, lit: litText, exact: true},
	{name: "b", kind: arrow.FixedWidthTypes.Boolean, draw: drawBool, lit: litText, exact: true},
	{name: "i", kind: arrow.PrimitiveTypes.Int64, draw: drawInt, lit: litRat(0), exact: true, order: true},
	{name: "d", kind: &arrow.Decimal128Type{Precision: 18, Scale: 2}, draw: drawDecimal, lit: litRat(2), exact: true, order: true},
	{name: "day", kind: arrow.FixedWidthTypes.Date32, draw: drawDay, lit: litDay, exact: true, order: true},
	{name: "f", kind: arrow.PrimitiveTypes.Float64, draw: drawFloat, lit: litRat(2), order: true},
	{name: "ts", kind: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Asia/Shanghai"}, draw: drawMilli, lit: litMilli, exact: true, order: true},
}

func drawText(t *rapid.T) cell {
	return cell{text: rapid.SampledFrom([]string{"", "x", "X", "２", "220202", "220203"}).Draw(t, "text")}
}
func drawBool(t *rapid.T) cell { return cell{text: fmt.Sprint(rapid.Bool().Draw(t, "bool"))} }
func drawInt(t *rapid.T) cell {
	n := rapid.OneOf(rapid.Int64Range(-3, 3), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64})).Draw(t, "int")
	return cell{num: new(big.Rat).SetInt64(n)}
}
func drawDecimal(t *rapid.T) cell {
	n := rapid.OneOf(rapid.Int64Range(-300, 300), rapid.SampledFrom([]int64{-999999999999999999, 999999999999999999})).Draw(t, "dec")
	return cell{num: big.NewRat(n, 100)}
}
func drawDay(t *rapid.T) cell {
	return cell{num: new(big.Rat).SetInt64(rapid.Int64Range(-2, 2).Draw(t, "day"))}
}
func drawMilli(t *rapid.T) cell {
	return cell{num: new(big.Rat).SetInt64(rapid.Int64Range(-1002, 1002).Draw(t, "milli"))}
}
func drawFloat(t *rapid.T) cell {
	switch n := rapid.IntRange(-8, 11).Draw(t, "float"); n {
	case 9:
		return cell{nan: true}
	case 10:
		return cell{inf: 1}
	case 11:
		return cell{inf: -1}
	default:
		return cell{num: big.NewRat(int64(n), 4)}
	}
}
func litText(c cell) string { return c.text }
func litRat(scale int) func(cell) string {
	return func(c cell) string { return c.num.FloatString(scale) }
}
func litDay(c cell) string {
	return time.Unix(c.num.Num().Int64()*86400, 0).UTC().Format(time.DateOnly)
}
func litMilli(c cell) string {
	return time.UnixMilli(c.num.Num().Int64()).In(time.FixedZone("", 8*3600)).Format(time.RFC3339Nano)
}

func (c cell) put(b array.Builder) {
	if c.null {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(c.text)
	case *array.LargeStringBuilder:
		b.Append(c.text)
	case *array.BooleanBuilder:
		b.Append(c.text == "true")
	case *array.Int64Builder:
		b.Append(c.num.Num().Int64())
	case *array.Date32Builder:
		b.Append(arrow.Date32(c.num.Num().Int64()))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(c.num.Num().Int64()))
	case *array.Decimal128Builder:
		n := new(big.Rat).Mul(c.num, big.NewRat(100, 1))
		b.Append(decimal128.FromBigInt(n.Num()))
	case *array.Float64Builder:
		v := math.NaN()
		if c.inf != 0 {
			v = math.Inf(c.inf)
		} else if !c.nan {
			v, _ = c.num.Float64()
		}
		b.Append(v)
	}
}

// compare orders two cells; ok is false where no comparison holds.
func (c cell) compare(o cell) (n int, ok bool) {
	switch {
	case c.null || c.nan:
		return 0, false
	case c.inf != 0:
		return c.inf, true
	case c.num != nil:
		return c.num.Cmp(o.num), true
	case c.text == o.text:
		return 0, true
	}
	return 1, true
}

type oraclePred struct {
	Predicate
	col  int
	args []cell
}

func (p *oraclePred) holds(row []cell) bool {
	if p.Kind == Exists {
		return true
	}
	v := row[p.col]
	n, ok := v.compare(p.args[0])
	switch {
	case !ok:
		return false
	case p.Kind == Member:
		return slices.ContainsFunc(p.args, func(a cell) bool { n, _ := v.compare(a); return n == 0 })
	case p.Kind == Equals || p.Op == "=":
		return n == 0
	case p.Kind == Band:
		m, _ := v.compare(p.args[1])
		return n >= 0 && m < 0
	}
	return map[string]bool{"!=": n != 0, "<": n < 0, "<=": n <= 0, ">": n > 0, ">=": n >= 0}[p.Op]
}

func drawPred(t *rapid.T, id int) *oraclePred {
	p := &oraclePred{col: rapid.IntRange(0, len(anyColumns)-1).Draw(t, "col")}
	c := anyColumns[p.col]
	kinds := []Kind{Exists}
	var ops []string
	if c.exact {
		kinds, ops = append(kinds, Equals, Member), append(ops, "=", "!=")
	}
	if c.order {
		kinds, ops = append(kinds, Band), append(ops, "<", "<=", ">", ">=")
	}
	p.ID, p.Kind = fmt.Sprint(id), rapid.SampledFrom(append(kinds, Compare)).Draw(t, "kind")
	finite := func() cell {
		return rapid.Custom(c.draw).Filter(func(c cell) bool { return !c.nan && c.inf == 0 }).Draw(t, "arg")
	}
	a, b := finite(), finite()
	p.args = []cell{a, b}
	switch p.Kind {
	case Exists:
		return p
	case Member:
		p.Values = []string{c.lit(a), c.lit(b)}
		if p.Values[0] == "" {
			p.Values[0] = "x"
			p.args[0] = cell{text: "x"}
		}
	case Band:
		p.Low, p.High = c.lit(a), c.lit(b)
	case Compare:
		p.Op = rapid.SampledFrom(ops).Draw(t, "op")
		p.Value = c.lit(a)
	default:
		p.Value = c.lit(a)
	}
	p.Field = c.name
	return p
}

// usable says whether the compiler may refuse the predicate as never holding.
func (p *oraclePred) usable() bool {
	extreme := func(n int64) bool { return p.args[0].num != nil && p.args[0].num.Cmp(new(big.Rat).SetInt64(n)) == 0 }
	switch {
	case p.Kind == Band:
		n, _ := p.args[0].compare(p.args[1])
		return n < 0
	case p.Op == "<":
		return !extreme(math.MinInt64)
	case p.Op == ">":
		return !extreme(math.MaxInt64)
	}
	return true
}

func TestLookup_EqualsOracle(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer func() { require.Zero(t, mem.CurrentAlloc()) }()
		var oracle []*oraclePred
		var preds []Predicate
		for range rapid.IntRange(1, 20).Draw(t, "preds") {
			p := drawPred(t, len(preds))
			if !p.usable() {
				_, err := Compile([]Predicate{p.Predicate}, anySchema(), anySubject)
				require.ErrorIs(t, err, ErrProgram)
				continue
			}
			oracle, preds = append(oracle, p), append(preds, p.Predicate)
		}
		prog, err := Compile(preds, anySchema(), anySubject)
		require.NoError(t, err)
		rows := drawRows(t)
		src := rowReader(t, mem, rows, rapid.IntRange(1, 9).Draw(t, "batch"))
		defer src.Release()
		keys, err := NewKeys([32]byte{byte(n)}, "v")
		require.NoError(t, err)
		o := BuildOptions{
			Dir: filepath.Join(dir, fmt.Sprint(n)), Dataset: "d", Version: "v", Keys: keys,
			MemoryBytes: rapid.SampledFrom([]int64{1, 200, 0}).Draw(t, "memory"), // 1 spills every row
		}
		_, err = Build(context.Background(), src, prog, o)
		require.NoError(t, err)
		ix, err := Open(o.Dir, prog, "d", "v", keys, 0)
		require.NoError(t, err)
		defer ix.Close()
		compareWithOracle(t, ix, oracle, rows)
		compareRefinement(t, mem, ix, oracle, rows)
	})
}

type row struct {
	subject  string
	withhold bool
	cells    []cell
}

var anySubject = Subject{Field: "id", Identifier: identifier.Opaque, Withhold: "w"}

func anySchema() *arrow.Schema {
	fields := []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "w", Type: arrow.FixedWidthTypes.Boolean}}
	for _, c := range anyColumns {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.kind, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func drawRows(t *rapid.T) []row {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
		r := row{subject: fmt.Sprint("s", rapid.IntRange(0, 9).Draw(t, "subject")), withhold: rapid.IntRange(0, 9).Draw(t, "w") == 0}
		for _, c := range anyColumns {
			v := cell{null: true}
			if rapid.IntRange(0, 4).Draw(t, "null") > 0 {
				v = c.draw(t)
			}
			r.cells = append(r.cells, v)
		}
		return r
	}), 0, 30).Draw(t, "rows")
}

func rowReader(t require.TestingT, mem memory.Allocator, rows []row, size int) array.RecordReader {
	b := array.NewRecordBuilder(mem, anySchema())
	defer b.Release()
	var recs []arrow.Record
	for part := range slices.Chunk(rows, size) {
		for _, r := range part {
			b.Field(0).(*array.StringBuilder).Append(r.subject)
			b.Field(1).(*array.BooleanBuilder).Append(r.withhold)
			for i, c := range r.cells {
				c.put(b.Field(i + 2))
			}
		}
		recs = append(recs, b.NewRecord())
	}
	rr, err := array.NewRecordReader(anySchema(), recs)
	require.NoError(t, err)
	for _, r := range recs {
		r.Release()
	}
	return rr
}

// oracleAnswer says what a subject's rows say to a predicate.
func oracleAnswer(p *oraclePred, rows []row, subject string) Answer {
	found, withheld, yes := false, false, false
	for _, r := range rows {
		if r.subject == subject {
			found, withheld, yes = true, withheld || r.withhold, yes || p.holds(r.cells)
		}
	}
	switch {
	case !found:
		return NotFound
	case withheld:
		return Withheld
	case yes:
		return Yes
	}
	return No
}

func compareWithOracle(t *rapid.T, ix *Index, preds []*oraclePred, rows []row) {
	var qs []Query
	var want []Answer
	for i, p := range preds {
		for s := range 10 {
			subject := fmt.Sprint("s", s)
			qs = append(qs, Query{Predicate: i, Subject: []byte(subject)})
			want = append(want, oracleAnswer(p, rows, subject))
		}
	}
	got := make([]Answer, len(qs))
	require.NoError(t, ix.LookupBatch(context.Background(), qs, got))
	for i := range qs {
		require.Equal(t, want[i], got[i], "%+v of %s", preds[qs[i].Predicate].Predicate, qs[i].Subject)
		one, err := ix.Lookup(context.Background(), &qs[i])
		require.NoError(t, err)
		require.Equal(t, want[i], one)
	}
}

func compareRefinement(t *rapid.T, mem memory.Allocator, ix *Index, preds []*oraclePred, rows []row) {
	if len(preds) == 0 {
		return
	}
	picked := rapid.SliceOfN(rapid.IntRange(0, len(preds)-1), 1, 5).Draw(t, "picked")
	var roster []row
	for range rapid.IntRange(0, 15).Draw(t, "roster") {
		cells := make([]cell, len(anyColumns))
		for i := range cells {
			cells[i].null = true
		}
		roster = append(roster, row{subject: fmt.Sprint("s", rapid.IntRange(0, 14).Draw(t, "s")), cells: cells})
	}
	want := map[CellCount]int64{}
	seen := map[string]bool{}
	for _, r := range roster {
		if seen[r.subject] {
			continue
		}
		seen[r.subject] = true
		var c CellCount
		for i, n := range picked {
			switch oracleAnswer(preds[n], rows, r.subject) {
			case NotFound:
				c.Absent = true
			case Withheld:
				c.Withheld = true
			case Yes:
				c.Pattern |= 1 << i
			}
		}
		want[c]++
	}
	src := rowReader(t, mem, roster, 4)
	defer src.Release()
	got, err := ix.Refinement(context.Background(), src, anySubject, picked)
	require.NoError(t, err)
	require.EqualValues(t, len(seen), got.Universe)
	require.EqualValues(t, len(roster), got.Rows)
	require.Len(t, got.Cells, len(want))
	for _, c := range got.Cells {
		n := c.Count
		c.Count = 0
		require.Equal(t, want[c], n)
	}
}
