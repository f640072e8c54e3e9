package plan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/plan"
)

// slow is the recursive definition of RFC 6962, section 2.1.
func slow(list [][32]byte) [32]byte {
	switch len(list) {
	case 0:
		return sm3.Sum(nil)
	case 1:
		return sm3.Sum(append([]byte{0}, list[0][:]...))
	}
	k := 1
	for k*2 < len(list) {
		k *= 2
	}
	left, right := slow(list[:k]), slow(list[k:])
	return sm3.Sum(append(append([]byte{1}, left[:]...), right[:]...))
}

// collect runs a builder without encryption and noting made-up hashes.
func collect(t testing.TB, spec plan.Spec, r array.RecordReader) ([]*plan.Batch, *plan.Manifest, error) {
	b, err := plan.NewBuilder(r.Schema(), spec)
	if err != nil {
		return nil, nil, err
	}
	var out []*plan.Batch
	for batch, err := range b.Batches(context.Background(), r) {
		if err != nil {
			return nil, nil, err
		}
		out = append(out, batch)
		require.NoError(t, b.AddLeaf(batch.Lane, batch.Header.Batch, [32]byte{byte(batch.Header.Batch)}))
	}
	m, err := b.Manifest()
	return out, m, err
}

var mixed = arrow.NewSchema([]arrow.Field{
	{Name: "who", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "area", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "g", Type: arrow.BinaryTypes.LargeString, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "d", Type: &arrow.Decimal256Type{Precision: 60, Scale: 3}, Nullable: true},
	{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "u", Type: arrow.PrimitiveTypes.Uint64, Nullable: true},
}, nil)

func mixedSpec(lanes ...plan.LaneSpec) plan.Spec {
	for i := range lanes {
		lanes[i].Degree = 64
	}
	return plan.Spec{Dataset: "d", Version: "1", Provider: "p", Subject: "who", Lanes: lanes}
}

func lane(kind plan.LaneKind, bound uint64, columns ...string) plan.LaneSpec {
	l := plan.LaneSpec{Name: "l", Kind: kind, Columns: columns}
	for range columns {
		l.Bounds = append(l.Bounds, bound)
	}
	return l
}

func TestBuilderRefusesNamingColumnAndRow(t *testing.T) {
	grouped := lane(plan.Bucketed, 9, "x")
	grouped.GroupBy, grouped.Groups = "g", []string{"a", "b"}
	good := `{"who":1,"area":"n","g":"a","x":5,"d":"1.000","u":1}`
	for what, c := range map[string]struct {
		lane plan.LaneSpec
		row  string
		want string
	}{
		"beyond the bound":        {lane(plan.Value, 9, "x"), `{"who":1,"x":777777}`, `column "x" row 1: beyond the declared bound`},
		"beyond below":            {lane(plan.Value, 9, "x"), `{"who":1,"x":-10}`, `column "x" row 1: beyond the declared bound`},
		"least number":            {lane(plan.Value, 9, "x"), `{"who":1,"x":-9223372036854775808}`, `column "x" row 1: beyond the declared bound`},
		"wide decimal":            {lane(plan.Value, he.MaxValue, "d"), `{"who":1,"d":"99999999999999999999999999.000"}`, `column "d" row 1: beyond the declared bound`},
		"wide unsigned":           {lane(plan.Value, he.MaxValue, "u"), `{"who":1,"u":18446744073709551615}`, `column "u" row 1: beyond the declared bound`},
		"null":                    {lane(plan.Value, 9, "x"), `{"who":1,"x":null}`, `column "x" row 1: null`},
		"null in a product":       {lane(plan.Product, 9000, "x", "d"), `{"who":1,"x":1,"d":null}`, `column "d" row 1: null`},
		"null subject":            {lane(plan.Value, 9, "x"), `{"who":null,"x":1}`, `column "who" row 1: null`},
		"no such group":           {grouped, `{"who":1,"x":1,"g":"secret"}`, `column "g" row 1: not a group of the lane`},
		"null group, not skipped": {grouped, `{"who":1,"x":1,"g":null}`, `column "g" row 1: null`},
	} {
		_, _, err := collect(t, mixedSpec(c.lane), table(t, mixed, "["+good+","+c.row+"]"))
		require.ErrorIs(t, err, plan.ErrSource, what)
		require.Equal(t, "plan: source refused: "+c.want, err.Error())
	}
	sections := mixedSpec(lane(plan.Value, 9, "x"))
	sections.Section = "area"
	_, _, err := collect(t, sections, table(t, mixed, `[{"who":1,"x":1,"area":"n"},{"who":1,"x":1,"area":"s"},{"who":1,"x":1,"area":"n"}]`))
	require.ErrorContains(t, err, `column "area" row 2: rows do not come section by section`)
}

func TestBuilderRefusesSpecs(t *testing.T) {
	noGroups := lane(plan.Bucketed, 9, "x")
	groups := lane(plan.Value, 9, "x")
	groups.GroupBy, groups.Groups = "g", []string{"a"}
	wrongGroup := noGroups
	wrongGroup.GroupBy, wrongGroup.Groups = "f", []string{"a"}
	many := noGroups
	many.GroupBy = "g"
	for i := range 65 {
		many.Groups = append(many.Groups, fmt.Sprint(i))
	}
	for what, l := range map[string]plan.LaneSpec{
		"a float": lane(plan.Value, 9, "f"), "text": lane(plan.Value, 9, "g"), "no column": lane(plan.Value, 9, "q"),
		"a square that overflows": lane(plan.Square, 1<<31+1, "x"), "a product that overflows": lane(plan.Product, 1<<32, "x", "d"),
		"a bound too large": lane(plan.Value, he.MaxValue+1, "x"), "a product of one": lane(plan.Product, 9, "x"),
		"a product with itself": lane(plan.Product, 9, "x", "x"), "groups without names": noGroups, "groups of a value lane": groups,
		"groups by a float": wrongGroup, "more groups than positions": many, "no kind": lane(0, 9, "x"),
	} {
		_, _, err := collect(t, mixedSpec(l), table(t, mixed, "[]"))
		require.Error(t, err, what)
	}
	same := lane(plan.Value, 9, "x")
	_, _, err := collect(t, mixedSpec(same, same), table(t, mixed, `[{"who":1,"x":1}]`))
	require.Error(t, err)
	_, _, err = collect(t, mixedSpec(same), table(t, mixed, "[]"))
	require.Error(t, err, "nothing read, nothing signed")
	both := mixedSpec(same)
	both.RowSubjects = true
	_, _, err = collect(t, both, table(t, mixed, "[]"))
	require.ErrorIs(t, err, plan.ErrInvalid)
}

// Batches hold the rows in their order; skipped ones are 0; counts are exact.
func TestBuilderLayout(t *testing.T) {
	x := lane(plan.Value, 1000, "x")
	x.SkipNulls, x.Name = true, "x"
	rev := lane(plan.Reversed, 1000, "x")
	rev.SkipNulls, rev.Name = true, "rev"
	sq := lane(plan.Square, 1000, "x")
	sq.SkipNulls, sq.Name = true, "sq"
	by := lane(plan.Bucketed, 1000, "x")
	by.SkipNulls, by.Name, by.GroupBy, by.Groups = true, "by", "g", []string{"a", "b", "c"}
	var rows []string
	for i := range 150 {
		v := fmt.Sprint(i - 75)
		if i%10 == 3 {
			v = "null"
		}
		rows = append(rows, fmt.Sprintf(`{"who":%d,"area":"%s","g":"%s","x":%s}`, i/2, []string{"n", "s"}[i/100], []string{"a", "a", "a", "b"}[i%4], v))
	}
	spec := mixedSpec(x, rev, sq, by)
	spec.Section = "area"
	batches, m, err := collect(t, spec, table(t, mixed, "["+strings.Join(rows, ",")+"]"))
	require.NoError(t, err)
	byLane := map[string][]*plan.Batch{}
	for _, b := range batches {
		byLane[b.Lane] = append(byLane[b.Lane], b)
		want, err := m.Header(m.Lane(b.Lane), b.Header.Batch)
		require.NoError(t, err)
		require.Equal(t, want, b.Header)
		require.Equal(t, b.Lane == "rev", b.Reversed)
	}
	require.Equal(t, 3, len(byLane["x"])) // 64 + 36, 50
	i := 0
	for n, b := range byLane["x"] {
		for k, v := range b.Values {
			want := int64(i - 75)
			if i%10 == 3 {
				want = 0
			}
			require.Equal(t, want, v)
			require.Equal(t, want*want, byLane["sq"][n].Values[k])
			require.Equal(t, want, byLane["rev"][n].Values[k])
			i++
		}
	}
	require.Equal(t, 150, i)
	require.Equal(t, uint64(1_000_000), m.Lane("sq").Bound)
	north := m.Lane("x").Sections[0]
	require.Equal(t, plan.Section{Name: "n", First: 0, Batches: 2, Positions: 100, Counts: north.Counts}, north)
	require.Equal(t, uint64(90), north.Counts[0].Rows)
	require.Equal(t, uint64(50), north.Counts[0].Subjects)
	var sums [3]int64
	for _, b := range byLane["by"] {
		require.Equal(t, 64, len(b.Values))
		for j, v := range b.Values {
			sums[j%3] += v
		}
	}
	var want [3]int64
	for i := range 150 {
		if i%10 != 3 {
			want[map[bool]int{true: 1}[i%4 == 3]] += int64(i - 75)
		}
	}
	require.Equal(t, want, sums)
	require.Equal(t, plan.Count{}, m.Lane("by").Sections[0].Counts[2], "an empty group")
}

// Counts against the definition: exact while few, never too many subjects nor too
// small shares when many.
func TestCountsAgainstTheDefinition(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(r, "rows")
		who := rapid.SliceOfN(rapid.IntRange(0, 60), n, n).Draw(r, "who")
		x := rapid.SliceOfN(rapid.IntRange(-1000, 1000), n, n).Draw(r, "x")
		var rows []string
		sums, total := map[int]int{}, 0
		for i := range n {
			rows = append(rows, fmt.Sprintf(`{"who":%d,"x":%d}`, who[i], x[i]))
			sums[who[i]] += max(x[i], -x[i])
			total += max(x[i], -x[i])
		}
		var one, two int
		for _, s := range sums {
			if s > one {
				one, two = s, one
			} else if s > two {
				two = s
			}
		}
		_, m, err := collect(t, mixedSpec(lane(plan.Value, 1000, "x")), table(t, mixed, "["+strings.Join(rows, ",")+"]"))
		require.NoError(t, err)
		c := m.Lanes[0].Sections[0].Counts[0]
		require.Equal(t, uint64(len(sums)), c.Subjects)
		if total > 0 {
			require.Equal(t, uint32((one*1_000_000+total-1)/total), c.Top1)
			require.Equal(t, uint32(((one+two)*1_000_000+total-1)/total), c.Top2)
		}
	})
}

func manyRows(t testing.TB, mem memory.Allocator, n int, who func(int) int32, x func(int) int64) array.RecordReader {
	schema := arrow.NewSchema([]arrow.Field{{Name: "who", Type: arrow.PrimitiveTypes.Int32}, {Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i := range n {
		b.Field(0).(*array.Int32Builder).Append(who(i))
		b.Field(1).(*array.Int64Builder).Append(x(i))
	}
	rec := b.NewRecord()
	defer rec.Release()
	// A slice with an offset, and the rest of it.
	a, z := rec.NewSlice(0, int64(n/3)), rec.NewSlice(int64(n/3), int64(n))
	defer a.Release()
	defer z.Release()
	r, err := array.NewRecordReader(schema, []arrow.Record{a, z})
	require.NoError(t, err)
	return r
}

// 60,000 subjects at a limit of 1,024, one of whom holds 45 % in small pieces. The
// estimate's chance to exceed the truth is below 10^-6 for a random hash key; the
// key is fixed here.
func TestCountsBeyondTheLimitAreSafe(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	const n = 120_000
	r := manyRows(t, mem, n, func(i int) int32 {
		if i%2 == 0 {
			return -1
		}
		return int32(i)
	}, func(i int) int64 {
		if i%2 == 0 {
			return -9
		}
		return 11
	})
	defer r.Release()
	spec := mixedSpec(lane(plan.Value, 1000, "x"))
	spec.MaxSubjects = 1
	_, m, err := collect(t, spec, r)
	require.NoError(t, err)
	c := m.Lanes[0].Sections[0].Counts[0]
	require.LessOrEqual(t, c.Subjects, uint64(n/2+1))
	require.Greater(t, c.Subjects, uint64(n/2*8/10))
	require.GreaterOrEqual(t, c.Top1, uint32(450_000))
	require.LessOrEqual(t, c.Top1, uint32(452_000))
	require.GreaterOrEqual(t, c.Top2, uint32(450_011))
	require.NoError(t, m.Validate(plan.Limits{}))
}

func TestBuilderStopsWithItsConsumer(t *testing.T) {
	r := manyRows(t, memory.DefaultAllocator, 1000, func(i int) int32 { return int32(i) }, func(int) int64 { return 1 })
	b, err := plan.NewBuilder(r.Schema(), mixedSpec(lane(plan.Value, 1000, "x")))
	require.NoError(t, err)
	require.Equal(t, []string{"who", "x"}, b.Columns())
	for _, err := range b.Batches(context.Background(), r) {
		require.NoError(t, err)
		break
	}
	_, err = b.Manifest()
	require.Error(t, err, "half a dataset is never signed")
	for _, err := range b.Batches(context.Background(), r) {
		require.ErrorIs(t, err, plan.ErrInvalid)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b, err = plan.NewBuilder(r.Schema(), mixedSpec(lane(plan.Value, 1000, "x")))
	require.NoError(t, err)
	r = manyRows(t, memory.DefaultAllocator, 10, func(i int) int32 { return int32(i) }, func(int) int64 { return 1 })
	for _, err := range b.Batches(ctx, r) {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Error(t, b.AddLeaf("nothing", 0, [32]byte{}))
}
