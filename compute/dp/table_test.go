package dp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute"
)

var testKey = []byte("0123456789abcdef")

// row is one record of the tests: nulls are nil.
type row struct {
	subject, district *string
	area              *int64
}

var testSchema = arrow.NewSchema([]arrow.Field{
	{Name: "area", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "rid", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "district", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
}, nil)

func ptr[T any](v T) *T { return &v }

// reader cuts rows into batches of at most size.
func reader(t require.TestingT, mem memory.Allocator, rows []row, size int) array.RecordReader {
	b := array.NewRecordBuilder(mem, testSchema)
	defer b.Release()
	var recs []arrow.Record
	for part := range slices.Chunk(rows, size) {
		for _, r := range part {
			appendOr(b.Field(0).(*array.Int64Builder), r.area)
			appendOr(b.Field(1).(*array.StringBuilder), r.subject)
			d := b.Field(2).(*array.BinaryDictionaryBuilder)
			if r.district == nil {
				d.AppendNull()
			} else {
				require.NoError(t, d.AppendString(*r.district))
			}
		}
		recs = append(recs, b.NewRecord())
	}
	out, err := array.NewRecordReader(testSchema, recs)
	require.NoError(t, err)
	for _, r := range recs {
		r.Release()
	}
	return out
}

func appendOr[T any](b interface {
	Append(T)
	AppendNull()
}, v *T) {
	if v == nil {
		b.AppendNull()
	} else {
		b.Append(*v)
	}
}

func everything() Table {
	return Table{
		Subject: "rid", Groups: []Group{{Field: "district", Public: []string{"east", "west", compute.NullKey}}},
		Measures: []Measure{
			{Kind: compute.Subjects},
			{Kind: compute.Count, Rho: 1_000_000_000},
			{Kind: compute.Sum, Field: "area", Low: -20, High: 100, Rho: 1_000_000_000},
			{Kind: compute.Mean, Field: "area", Low: 0, High: 90, Unit: 10, Rho: 2_000_000_000},
			{Kind: Variance, Field: "area", Low: 0, High: 90, Rho: 3_000_000_000},
			{Kind: Histogram, Field: "area", Bands: []int64{0, 10, 50}, Rho: 1_000_000_000},
			{Kind: Quantiles, Field: "area", Bands: []int64{0, 10, 50}, Quantiles: []Rat{{1, 2}, {9, 10}}, Rho: 1_000_000_000},
		},
		MaxGroups: 2, MaxRecords: 2, Mechanism: GaussianNoise, Rho: 1_000_000_000,
	}
}

func bound(t require.TestingT, p *Plan, rows []row, size int) *Bounded {
	src := reader(t, memory.NewGoAllocator(), rows, size)
	defer src.Release()
	b, err := p.Bound(context.Background(), src, testKey)
	require.NoError(t, err)
	return b
}

func drawRows(t *rapid.T) []row {
	maybe := func(name string, from ...string) *string {
		if k := rapid.IntRange(-1, len(from)-1).Draw(t, name); k >= 0 {
			return &from[k]
		}
		return nil
	}
	rows := make([]row, rapid.IntRange(0, 40).Draw(t, "rows"))
	for i := range rows {
		rows[i].subject = maybe("subject", "", "ann", "bob", "eve", "kim")
		rows[i].district = maybe("district", "east", "west", "north", "\x00null")
		if v := rapid.Int64Range(-60, 200).Draw(t, "area"); v > -50 {
			rows[i].area = &v
		}
	}
	return rows
}

// TestNeighboursWithinSensitivity: taking one subject away changes every
// statistic by at most its sensitivity, in both norms, and by no more than the
// brute maximum says.
func TestNeighboursWithinSensitivity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lit := everything()
		lit.MaxGroups, lit.MaxRecords = rapid.IntRange(1, 3).Draw(t, "groups"), rapid.IntRange(1, 3).Draw(t, "records")
		if rapid.Bool().Draw(t, "select") {
			lit.Groups[0].Public, lit.Delta = nil, 1000
		}
		p, err := NewPlan(lit, testSchema)
		require.NoError(t, err)
		rows := drawRows(t)
		without := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.subject != nil && *r.subject == "eve" })
		all, less := bound(t, p, rows, 7), bound(t, p, without, 7)
		at := func(b *Bounded, keys []string, slot int) int64 {
			for i, k := range b.keys {
				if slices.Equal(k, keys) {
					return b.totals[i*p.width+slot]
				}
			}
			return 0
		}
		check := func(s stat, of Sensitivity) {
			var l1, l2 uint64
			for _, keys := range all.keys {
				for slot := s.first; slot < s.first+s.slots; slot++ {
					d := at(all, keys, slot) - at(less, keys, slot)
					l1 += uint64(max(d, -d))
					l2 += uint64(d * d)
				}
			}
			require.LessOrEqual(t, l1, of.L1)
			require.LessOrEqual(t, l2, of.L2Squared)
		}
		one, err := SubjectsSensitivity(Bounds{MaxGroups: lit.MaxGroups, MaxRecords: 1})
		require.NoError(t, err)
		check(p.cells, one)
		for i := range p.measures {
			of, _, err := p.measures[i].figures(&p.table)
			require.NoError(t, err)
			for k, s := range p.measures[i].stats {
				check(s, of[k])
			}
		}
	})
}

// TestBoundingIgnoresOrder: shuffled records in other batches give the same
// totals.
func TestBoundingIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lit := everything()
		lit.MaxGroups, lit.MaxRecords = rapid.IntRange(1, 2).Draw(t, "groups"), rapid.IntRange(1, 2).Draw(t, "records")
		p, err := NewPlan(lit, testSchema)
		require.NoError(t, err)
		rows := drawRows(t)
		a := bound(t, p, rows, 1000)
		b := bound(t, p, rapid.Permutation(rows).Draw(t, "order"), rapid.IntRange(1, 9).Draw(t, "batch"))
		require.Equal(t, a.keys, b.keys)
		require.Equal(t, a.totals, b.totals)
	})
}

// zeroNoise adds nothing: to see the totals in tests.
type zeroNoise struct{}

func (zeroNoise) Take(_ context.Context, _ Scale, dst []int64) error { clear(dst); return nil }

func TestFigures(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	lit := everything()
	lit.MaxRecords = 10
	p, err := NewPlan(lit, testSchema)
	require.NoError(t, err)
	rows := []row{
		{ptr("a"), ptr("east"), ptr(int64(4))}, {ptr("a"), ptr("east"), ptr(int64(6))}, {ptr("b"), ptr("east"), ptr(int64(55))},
		{ptr("b"), ptr("east"), ptr(int64(-1000))}, {ptr("b"), ptr("east"), nil}, {nil, ptr("east"), ptr(int64(1))}, {ptr(""), ptr("east"), ptr(int64(1))},
		{ptr("c"), ptr("north"), ptr(int64(1))}, {ptr("c"), nil, ptr(int64(1000))},
	}
	src := reader(t, mem, rows, 4)
	defer src.Release()
	b, err := p.Bound(context.Background(), src, testKey)
	require.NoError(t, err)
	got, err := Release(context.Background(), b, zeroNoise{})
	require.NoError(t, err)
	require.Equal(t, []string{"district"}, got.GroupBy)
	require.Len(t, got.Cells, 2) // west has no subject, north is not public
	require.Equal(t, []string{compute.NullKey}, got.Cells[0].Keys)
	require.Equal(t, PrivateCell{
		Keys: []string{"east"}, Subjects: 2,
		Figures: []Figure{
			{Text: "2"}, {Text: "5"}, {Text: "45"}, {Text: "17.500000"}, {Text: "505.187500"},
			{Counts: []int64{1, 2, 0, 1}}, {Counts: []int64{1, 3}},
		},
	}, got.Cells[1])
	require.Equal(t, p.Cost(), got.Cost)

	_, err = Release(context.Background(), b, zeroNoise{})
	require.ErrorIs(t, err, ErrSpent)
	for _, zero := range []*Bounded{nil, {}} {
		_, err = Release(context.Background(), zero, zeroNoise{})
		require.ErrorIs(t, err, ErrSpent)
	}
	for _, v := range b.totals {
		require.Zero(t, v)
	}
}

// TestBoundedHidesItself: no verb and no encoder shows a total.
func TestBoundedHidesItself(t *testing.T) {
	p, err := NewPlan(everything(), testSchema)
	require.NoError(t, err)
	b := bound(t, p, []row{{ptr("a"), ptr("east"), ptr(int64(77))}}, 1)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		require.Equal(t, "[bounded aggregates]", fmt.Sprintf(verb, b))
	}
	_, err = json.Marshal(b)
	require.Error(t, err)
}

type failingNoise struct{ after int }

func (f *failingNoise) Take(context.Context, Scale, []int64) error {
	if f.after--; f.after < 0 {
		return ErrStopped
	}
	return nil
}

// TestFailedReleaseIsSpent: noise that ends half way leaves nothing.
func TestFailedReleaseIsSpent(t *testing.T) {
	p, err := NewPlan(everything(), testSchema)
	require.NoError(t, err)
	for after := range 5 {
		b := bound(t, p, []row{{ptr("a"), ptr("east"), ptr(int64(77))}}, 1)
		out, err := Release(context.Background(), b, &failingNoise{after})
		require.ErrorIs(t, err, ErrStopped)
		require.Nil(t, out)
		_, err = Release(context.Background(), b, zeroNoise{})
		require.ErrorIs(t, err, ErrSpent)
	}
}

func TestCostIsKnownBefore(t *testing.T) {
	p, err := NewPlan(everything(), testSchema)
	require.NoError(t, err)
	require.LessOrEqual(t, p.Cost().Rho, Rho(10_000_000_000))
	require.Greater(t, p.Cost().Rho, Rho(9_900_000_000))
	require.Zero(t, p.Cost().Delta)
	require.Equal(t, int64(1), p.Tau())
	require.Equal(t, []string{"rid", "district", "area"}, p.Columns())
	lit := everything()
	lit.Groups[0].Public, lit.Delta = nil, 1_000_000
	p, err = NewPlan(lit, testSchema)
	require.NoError(t, err)
	require.Equal(t, Delta(1_000_000), p.Cost().Delta)
	least, err := Threshold(p.cells.scale, 2, 1_000_000)
	require.NoError(t, err)
	require.Equal(t, least, p.Tau())
	require.Contains(t, p.Scales(), p.cells.scale)
}

func TestPlanRefuses(t *testing.T) {
	sum := func(f func(*Measure)) func(*Table) { return func(t *Table) { f(&t.Measures[2]) } }
	hist := func(f func(*Measure)) func(*Table) { return func(t *Table) { f(&t.Measures[5]) } }
	for name, edit := range map[string]func(*Table){
		"no subject":           func(t *Table) { t.Subject = "" },
		"unknown subject":      func(t *Table) { t.Subject = "xx" },
		"group by subject":     func(t *Table) { t.Groups[0].Field = "rid" },
		"group twice":          func(t *Table) { t.Groups = append(t.Groups, t.Groups[0]) },
		"key twice":            func(t *Table) { t.Groups[0].Public = []string{"a", "a"} },
		"no key":               func(t *Table) { t.Groups[0].Public = []string{} },
		"too many keys":        func(t *Table) { t.MaxCells = 2 },
		"delta without need":   func(t *Table) { t.Delta = 1 },
		"no delta":             func(t *Table) { t.Groups[0].Public = nil },
		"low tau":              func(t *Table) { t.Groups[0].Public, t.Delta, t.Tau = nil, 1, 3 },
		"no groups bound":      func(t *Table) { t.MaxGroups = 0 },
		"no mechanism":         func(t *Table) { t.Mechanism = 0 },
		"no cost":              func(t *Table) { t.Rho = 0 },
		"negative tau":         func(t *Table) { t.Tau = -1 },
		"measure without cost": sum(func(m *Measure) { m.Rho = 0 }),
		"subjects with cost":   func(t *Table) { t.Measures[0].Rho = 1 },
		"sum of subject":       sum(func(m *Measure) { m.Field = "rid" }),
		"sum of text":          sum(func(m *Measure) { m.Field = "district" }),
		"no range":             sum(func(m *Measure) { m.Low, m.High = 0, 0 }),
		"unit not dividing":    sum(func(m *Measure) { m.Unit = 7 }),
		"sum with bands":       sum(func(m *Measure) { m.Bands = []int64{1} }),
		"negative unit":        sum(func(m *Measure) { m.Unit = -1 }),
		"unknown kind":         sum(func(m *Measure) { m.Kind = "median" }),
		"no bands":             hist(func(m *Measure) { m.Bands = nil }),
		"bands fall":           hist(func(m *Measure) { m.Bands = []int64{2, 2} }),
		"histogram quantiles":  hist(func(m *Measure) { m.Quantiles = []Rat{{1, 2}} }),
		"histogram range":      hist(func(m *Measure) { m.High = 1 }),
		"quantile above one":   func(t *Table) { t.Measures[6].Quantiles = []Rat{{3, 2}} },
		"no quantile":          func(t *Table) { t.Measures[6].Quantiles = nil },
		"count of a field":     func(t *Table) { t.Measures[1].Field = "area" },
		"seventeen measures":   func(t *Table) { t.Measures = slices.Repeat(t.Measures, 3) },
		"huge sum":             sum(func(m *Measure) { m.High = math.MaxInt64 }),
	} {
		t.Run(name, func(t *testing.T) {
			lit := everything()
			edit(&lit)
			_, err := NewPlan(lit, testSchema)
			require.Error(t, err)
			require.True(t, strings.HasPrefix(err.Error(), "plan private table: "))
		})
	}
	_, err := NewPlan(everything(), nil)
	require.ErrorIs(t, err, compute.ErrQuery)
}

func TestBoundRefuses(t *testing.T) {
	lit := everything()
	p, err := NewPlan(lit, testSchema)
	require.NoError(t, err)
	rows := []row{{ptr("a"), ptr("east"), ptr(int64(1))}, {ptr("b"), ptr("west"), ptr(int64(1))}}
	try := func(p *Plan, ctx context.Context, key []byte) error {
		src := reader(t, memory.NewGoAllocator(), rows, 1)
		defer src.Release()
		b, err := p.Bound(ctx, src, key)
		require.Nil(t, b)
		return err
	}
	require.ErrorIs(t, try(p, context.Background(), testKey[:15]), ErrParameter)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, try(p, ctx, testKey), context.Canceled)
	lit.MaxBytes = 100
	p, err = NewPlan(lit, testSchema)
	require.NoError(t, err)
	require.ErrorIs(t, try(p, context.Background(), testKey), compute.ErrLimit)
	lit = everything()
	lit.Groups[0].Public, lit.Delta, lit.MaxCells = nil, 1000, 1
	p, err = NewPlan(lit, testSchema)
	require.NoError(t, err)
	require.ErrorIs(t, try(p, context.Background(), testKey), compute.ErrLimit)
}

func TestCanonJoinsSpellings(t *testing.T) {
	lit := everything()
	lit.Canon = func(dst, v []byte) ([]byte, error) {
		if v[0] == '?' {
			return nil, fmt.Errorf("not canonical")
		}
		return append(dst, bytes.ToLower(v)...), nil
	}
	p, err := NewPlan(lit, testSchema)
	require.NoError(t, err)
	b := bound(t, p, []row{{ptr("Ann"), ptr("east"), nil}, {ptr("ANN"), ptr("east"), nil}, {ptr("?"), ptr("east"), nil}}, 1)
	got, err := Release(context.Background(), b, zeroNoise{})
	require.NoError(t, err)
	require.Len(t, got.Cells, 1)
	require.Equal(t, int64(1), got.Cells[0].Subjects)
}

// TestDecimals: a decimal column counts in its last digit, beyond int64 at its
// bounds.
func TestDecimals(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int32}, {Name: "tax", Type: &arrow.Decimal128Type{Precision: 38, Scale: 2}}}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	big38, _ := decimal128.FromString("99999999999999999999999999999999", 38, 2)
	b.Field(0).(*array.Int32Builder).AppendValues([]int32{1, 2, 3}, nil)
	b.Field(1).(*array.Decimal128Builder).AppendValues([]decimal128.Num{decimal128.FromI64(12345), big38, big38.Negate()}, nil)
	rec := b.NewRecord()
	defer rec.Release()
	src, err := array.NewRecordReader(schema, []arrow.Record{rec})
	require.NoError(t, err)
	defer src.Release()
	p, err := NewPlan(Table{
		Subject: "id", MaxGroups: 1, MaxRecords: 1, Mechanism: LaplaceNoise, Rho: 1_000_000,
		Measures: []Measure{{Kind: compute.Sum, Field: "tax", Low: -100_000, High: 1_000_000, Unit: 100, Rho: 1_000_000}},
	}, schema)
	require.NoError(t, err)
	bounded, err := p.Bound(context.Background(), src, testKey)
	require.NoError(t, err)
	got, err := Release(context.Background(), bounded, zeroNoise{})
	require.NoError(t, err)
	require.Equal(t, "9123.00", got.Cells[0].Figures[0].Text) // 123 + 10,000 - 1,000
}

func TestDisjoint(t *testing.T) {
	prove := func(rows []row, parts ...[]string) (Disjoint, error) {
		src := reader(t, memory.NewGoAllocator(), rows, 2)
		defer src.Release()
		return ProveDisjoint(context.Background(), src, "rid", nil, "district", parts)
	}
	rows := []row{{ptr("a"), ptr("east"), nil}, {ptr("a"), ptr("east"), nil}, {ptr("b"), ptr("west"), nil}, {ptr("b"), ptr("north"), nil}}
	proof, err := prove(rows, []string{"east"}, []string{"west", "north"})
	require.NoError(t, err)
	require.Equal(t, 2, proof.Parts())
	cost, err := Parallel(proof, []Budget{{5, 1}, {3, 2}})
	require.NoError(t, err)
	require.Equal(t, Budget{5, 2}, cost)
	_, err = Parallel(proof, []Budget{{5, 1}})
	require.ErrorIs(t, err, ErrNotDisjoint)
	_, err = Parallel(proof, []Budget{{5, 1}, {-1, 0}})
	require.ErrorIs(t, err, ErrParameter)
	_, err = Parallel(Disjoint{}, nil)
	require.ErrorIs(t, err, ErrNotDisjoint)
	_, err = prove(rows, []string{"west"}, []string{"north"})
	require.ErrorIs(t, err, ErrNotDisjoint)
	require.NotContains(t, err.Error(), "north")
	_, err = prove(rows, []string{"east"}, []string{"east"})
	require.ErrorIs(t, err, ErrNotDisjoint)
	_, err = prove(rows)
	require.Error(t, err)
}

// TestNeighboursAreToldApartNoBetter: over 10,000 fresh releases of each of two
// neighbours the best threshold on any one figure decides with a success of at
// most (e^eps + delta)/(1 + e^eps), plus five standard deviations for the choice
// among thresholds, half of the runs choosing and half counting.
func TestNeighboursAreToldApartNoBetter(t *testing.T) {
	for _, mech := range []Mechanism{LaplaceNoise, GaussianNoise} {
		lit := Table{
			Subject: "rid", Groups: []Group{{Field: "district", Public: []string{"east"}}}, Mechanism: mech,
			Measures:  []Measure{{Kind: compute.Sum, Field: "area", Low: 0, High: 100, Rho: 60_000_000}},
			MaxGroups: 1, MaxRecords: 1, Rho: 28_000_000, Tau: 1,
		}
		p, err := NewPlan(lit, testSchema)
		require.NoError(t, err)
		var rows []row
		for i := range 50 {
			rows = append(rows, row{ptr(fmt.Sprint(i)), ptr("east"), ptr(int64(i))})
		}
		noise := NewDirect(fixed(t, byte(90+mech)))
		const runs = 10_000
		sample := func(rows []row) (counts, sums []int64) {
			b := bound(t, p, rows, 100)
			totals := slices.Clone(b.totals)
			for range runs { // each a fresh release of the same totals
				copy(b.totals, totals)
				b.spent.Store(false)
				got, err := Release(context.Background(), b, noise)
				require.NoError(t, err)
				require.Len(t, got.Cells, 1, "50 subjects against tau 1")
				counts = append(counts, got.Cells[0].Subjects)
				s, ok := new(big.Int).SetString(got.Cells[0].Figures[0].Text, 10)
				require.True(t, ok)
				sums = append(sums, s.Int64())
			}
			return counts, sums
		}
		withC, withS := sample(append(rows, row{ptr("eve"), ptr("east"), ptr(int64(100))}))
		lessC, lessS := sample(rows)
		eps, err := p.Cost().Epsilon(DefaultDelta)
		require.NoError(t, err)
		e := math.Exp(float64(eps) / epsilonUnits)
		limit := (e+1e-6)/(1+e) + 5*math.Sqrt(0.25/runs)
		for _, pair := range [][2][]int64{{withC, lessC}, {withS, lessS}} {
			require.Less(t, success(pair[0], pair[1]), limit)
			require.Greater(t, success(pair[0], pair[1]), 0.5+5*math.Sqrt(0.25/runs), "the test can tell something")
		}
	}
}

// success is how often the threshold that is best on the first halves decides
// rightly on the second.
func success(with, less []int64) float64 {
	half := len(with) / 2
	above := func(v []int64, at int64) (n int) {
		for _, x := range v {
			if x >= at {
				n++
			}
		}
		return n
	}
	best, cut := -1, int64(0)
	sorted := slices.Sorted(slices.Values(with[:half]))
	for i := 0; i < half; i += half / 200 {
		if s := above(with[:half], sorted[i]) - above(less[:half], sorted[i]); s > best {
			best, cut = s, sorted[i]
		}
	}
	n := len(with) - half
	return float64(above(with[half:], cut)+n-above(less[half:], cut)) / float64(2*n)
}

// TestSelectionDelta: a key that one subject alone brings is shown as often as
// the exact tail says (within 5 standard deviations), and that is at most delta.
func TestSelectionDelta(t *testing.T) {
	for _, mech := range []Mechanism{LaplaceNoise, GaussianNoise} {
		p, err := NewPlan(Table{
			Subject: "rid", Groups: []Group{{Field: "district"}}, Mechanism: mech, MaxGroups: 2, MaxRecords: 1,
			Rho: 500_000_000, Delta: 10_000_000_000, // one in a hundred, to be seen in a test
		}, testSchema)
		require.NoError(t, err)
		b := bound(t, p, []row{{ptr("eve"), ptr("x"), nil}, {ptr("eve"), ptr("y"), nil}}, 5)
		totals, noise := slices.Clone(b.totals), NewDirect(fixed(t, byte(100+mech)))
		const runs = 100_000
		shown := 0
		for range runs {
			copy(b.totals, totals)
			b.spent.Store(false)
			got, err := Release(context.Background(), b, noise)
			require.NoError(t, err)
			if len(got.Cells) > 0 {
				shown++
			}
		}
		tail := exactTail(mech, p.cells.scale.Parameter, p.Tau()-2)
		want := 1 - (1-tail)*(1-tail)
		require.LessOrEqual(t, want, 0.01)
		require.InDelta(t, want*runs, shown, 5*math.Sqrt(want*runs))
	}
}

// exactTail is P(noise > reach) by enumeration of the exact masses.
func exactTail(m Mechanism, p Rat, reach int64) float64 { return exactTails(m, p)(reach) }

func BenchmarkBound(b *testing.B) {
	lit := everything()
	lit.MaxRecords = 1
	p, err := NewPlan(lit, testSchema)
	require.NoError(b, err)
	rows := make([]row, 200_000)
	for i := range rows {
		rows[i] = row{ptr(fmt.Sprintf("51170219800101%04d", i%100_000)), ptr([]string{"east", "west"}[i%2]), ptr(int64(i % 120))}
	}
	src := reader(b, memory.NewGoAllocator(), rows, 65_536)
	defer src.Release()
	rec := make([]arrow.Record, 0, 4)
	for src.Next() {
		src.Record().Retain()
		rec = append(rec, src.Record())
	}
	for b.Loop() {
		again, err := array.NewRecordReader(testSchema, rec)
		require.NoError(b, err)
		_, err = p.Bound(context.Background(), again, testKey)
		require.NoError(b, err)
		again.Release()
	}
	b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
