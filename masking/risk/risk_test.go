package risk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/risk"
)

var (
	dict   = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	schema = arrow.NewSchema([]arrow.Field{
		{Name: "sex", Type: dict, Nullable: true},
		{Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "city", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "ill", Type: arrow.BinaryTypes.LargeString, Nullable: true},
	}, nil)
)

func record(t require.TestingT, mem memory.Allocator, rows string) arrow.Record {
	return recordWith(t, mem, schema, rows)
}

func recordWith(t require.TestingT, mem memory.Allocator, schema *arrow.Schema, rows string) arrow.Record {
	rec, _, err := array.RecordFromJSON(mem, schema, strings.NewReader(rows))
	require.NoError(t, err)
	return rec
}

func reader(t require.TestingT, recs ...arrow.Record) array.RecordReader {
	r, err := array.NewRecordReader(schema, recs)
	require.NoError(t, err)
	return r
}

const six = `[
{"sex":"m","age":30,"city":"a","ill":"x"},
{"sex":"m","age":30,"city":"a","ill":"y"},
{"sex":"f","age":30,"city":"a","ill":"x"},
{"sex":null,"age":null,"city":"a","ill":"x"},
{"sex":null,"age":null,"city":"a","ill":"x"},
{"sex":"m","age":31,"city":"a","ill":"z"}]`

func TestClasses(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := record(t, mem, six)
	defer rec.Release()
	c, err := risk.NewClasses(schema, []string{"sex", "age"})
	require.NoError(t, err)
	require.Zero(t, c.K())
	require.NoError(t, c.Add(rec))
	tail := rec.NewSlice(4, 6)
	defer tail.Release()
	require.NoError(t, c.Add(tail))
	require.EqualValues(t, 8, c.Rows())
	require.Equal(t, 4, c.Len())
	require.EqualValues(t, 1, c.K())
	require.EqualValues(t, 1, c.Below(2))
	require.EqualValues(t, 5, c.Below(3))
	n, err := c.Size(tail, 0)
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	_, err = c.Size(tail, 2)
	require.Error(t, err)
}

func TestClassKeysDoNotRunTogether(t *testing.T) {
	two := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "b", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "c", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, two, strings.NewReader(
		`[{"a":"ab","b":"c","c":0},{"a":"a","b":"bc","c":-0.0},{"a":"","b":null,"c":0},{"a":null,"b":"","c":0}]`))
	require.NoError(t, err)
	defer rec.Release()
	c, err := risk.NewClasses(two, []string{"a", "b"})
	require.NoError(t, err)
	require.NoError(t, c.Add(rec))
	require.Equal(t, 4, c.Len())
	f, err := risk.NewClasses(two, []string{"c"})
	require.NoError(t, err)
	require.NoError(t, f.Add(rec))
	require.Equal(t, 1, f.Len())
}

func TestNewClassesRefuses(t *testing.T) {
	for _, quasi := range [][]string{{"none"}, {"age", "age"}} {
		_, err := risk.NewClasses(schema, quasi)
		require.Error(t, err)
	}
	list := arrow.NewSchema([]arrow.Field{{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int8)}}, nil)
	_, err := risk.NewClasses(list, []string{"l"})
	require.Error(t, err)
	c, err := risk.NewClasses(schema, []string{"age"})
	require.NoError(t, err)
	other, _, err := array.RecordFromJSON(memory.DefaultAllocator,
		arrow.NewSchema([]arrow.Field{{Name: "age", Type: arrow.BinaryTypes.String}}, nil), strings.NewReader(`[{"age":"1"}]`))
	require.NoError(t, err)
	require.Error(t, c.Add(other))
}

func TestSuppressBelow(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := record(t, mem, six)
	defer rec.Release()
	c, err := risk.NewClasses(schema, []string{"sex", "age"})
	require.NoError(t, err)
	require.NoError(t, c.Add(rec))
	src := reader(t, rec)
	defer src.Release()
	var rows []string
	rep, err := risk.SuppressBelow(context.Background(), c, 2, src, mem, func(r arrow.Record) error {
		for i := range int(r.NumRows()) {
			rows = append(rows, r.Column(3).ValueStr(i))
		}
		require.Equal(t, 1, r.Column(0).(*array.Dictionary).Dictionary().Len(), "the lone value left the dictionary")
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y", "x", "x"}, rows)
	require.Equal(t, &risk.Report{Rows: 6, Suppressed: 2, Classes: 4, ClassesCut: 2, K: 2}, rep)
}

func TestSecondPassMustSeeTheSameRecords(t *testing.T) {
	rec := record(t, memory.DefaultAllocator, six)
	defer rec.Release()
	fewer := rec.NewSlice(0, 5)
	defer fewer.Release()
	other := record(t, memory.DefaultAllocator, strings.Replace(six, "31", "77", 1))
	defer other.Release()
	none := func(arrow.Record) error { return nil }
	for name, second := range map[string]array.RecordReader{
		"fewer": reader(t, fewer), "other": reader(t, other), "twice": reader(t, rec, rec)} {
		c, err := risk.NewClasses(schema, []string{"age"})
		require.NoError(t, err)
		require.NoError(t, c.Add(rec))
		_, err = risk.SuppressBelow(context.Background(), c, 1, second, nil, none)
		require.ErrorIs(t, err, risk.ErrUnknownClass, name)
	}
}

func TestEnforceErrors(t *testing.T) {
	rec := record(t, memory.DefaultAllocator, six)
	defer rec.Release()
	open := func() (array.RecordReader, error) { return reader(t, rec), nil }
	stop := errors.New("sink is full")
	_, err := risk.Enforce(context.Background(), open, []string{"age"}, 1, func(arrow.Record) error { return stop })
	require.ErrorIs(t, err, stop)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = risk.Enforce(ctx, open, nil, 1, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = risk.Enforce(context.Background(), open, nil, 0, nil)
	require.Error(t, err)
	_, err = risk.Enforce(context.Background(), func() (array.RecordReader, error) { return nil, stop }, nil, 2, nil)
	require.ErrorIs(t, err, stop)
}

func TestWithin(t *testing.T) {
	r := &risk.Report{Rows: 10, Suppressed: 1}
	for limit, want := range map[string]bool{"0.1": true, "0.10": true, "0.0999999999999999999999": false, "1": true, "0": false} {
		got, err := r.Within(limit)
		require.NoError(t, err)
		require.Equal(t, want, got, limit)
	}
	for _, bad := range []string{"", "-1", "1.1", "1/2", "1e-1", ".5", "5.", "+0", "NaN", "0.1.1", "1e-999999999", "1e999999999", strings.Repeat("0", 40)} {
		_, err := r.Within(bad)
		require.Error(t, err, bad)
	}
	ok, err := (&risk.Report{}).Within("0")
	require.NoError(t, err)
	require.True(t, ok)
}

// TestAgainstCounting compares with plain maps of printed rows, on random
// tables cut into random batches.
func TestAgainstCounting(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(rt, "rows")
		k := rapid.Int64Range(1, 5).Draw(rt, "k")
		var rows []string
		for range n {
			rows = append(rows, fmt.Sprintf(`{"sex":%s,"age":%s,"city":"c","ill":%s}`,
				rapid.SampledFrom([]string{"null", `"m"`, `"f"`}).Draw(rt, "sex"),
				rapid.SampledFrom([]string{"null", "0", "1", "2"}).Draw(rt, "age"),
				rapid.SampledFrom([]string{`"x"`, `"y"`, `"z"`}).Draw(rt, "ill")))
		}
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		rec := record(rt, mem, "["+strings.Join(rows, ",")+"]")
		cut := int64(rapid.IntRange(0, n).Draw(rt, "cut"))
		a, b := rec.NewSlice(0, cut), rec.NewSlice(cut, int64(n))

		sizes, ills := map[string]int64{}, map[string]map[string]bool{}
		for i := range n {
			q := quasiOf(rows[i])
			sizes[q]++
			if ills[q] == nil {
				ills[q] = map[string]bool{}
			}
			ills[q][rows[i]] = true
		}
		wantKept, wantL := int64(0), int64(n)
		for q, size := range sizes {
			if size >= k {
				wantKept += size
			}
			wantL = min(wantL, int64(len(ills[q])))
		}
		var kept int64
		var texts []string
		rep, err := risk.Enforce(context.Background(), func() (array.RecordReader, error) { return reader(rt, a, b), nil },
			[]string{"sex", "age"}, k, func(r arrow.Record) error {
				kept += r.NumRows()
				for i := range int(r.NumRows()) {
					texts = append(texts, r.Column(3).ValueStr(i))
				}
				return nil
			})
		require.NoError(rt, err)
		require.Equal(rt, wantKept, kept)
		require.Equal(rt, int64(n)-wantKept, rep.Suppressed)
		require.Equal(rt, len(sizes), rep.Classes)
		require.True(rt, rep.K == 0 || rep.K >= k)
		var wantTexts []string
		for _, r := range rows {
			if sizes[quasiOf(r)] >= k {
				wantTexts = append(wantTexts, r[len(r)-3:len(r)-2])
			}
		}
		require.Equal(rt, wantTexts, texts)

		d, err := risk.NewDiversity(schema, []string{"sex", "age"}, "ill")
		require.NoError(rt, err)
		require.NoError(rt, d.Add(a))
		require.NoError(rt, d.Add(b))
		require.Equal(rt, wantL, d.L())
		a.Release()
		b.Release()
		rec.Release()
		mem.AssertSize(t, 0)
	})
}

func quasiOf(row string) string { return row[:strings.Index(row, `,"city"`)] }
