package masking_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking"
)

var peopleSchema = arrow.NewSchema([]arrow.Field{{Name: "who", Type: str, Nullable: true}, {Name: "age", Type: i64, Nullable: true},
	{Name: "born", Type: d32, Nullable: true}, {Name: "city", Type: dict, Nullable: true}}, nil)

// people makes n rows, cut into batches of the sizes given, the last repeated.
func people(t require.TestingT, mem memory.Allocator, n int, sizes []int) []arrow.Record {
	b := array.NewRecordBuilder(mem, peopleSchema)
	defer b.Release()
	var recs []arrow.Record
	in := 0
	for i := range n {
		if i%11 == 7 {
			b.Field(0).AppendNull()
		} else {
			b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("1380013%04d", i%1000))
		}
		if i%13 == 5 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.Int64Builder).Append(int64(i*7%100 - 5))
		}
		b.Field(2).(*array.Date32Builder).Append(arrow.Date32(10000 + i*31%9000))
		require.NoError(t, b.Field(3).(*array.BinaryDictionaryBuilder).AppendString([]string{"220202", "220211", "bad"}[i%3]))
		in++
		if in >= sizes[min(len(recs), len(sizes)-1)] || i+1 == n {
			recs = append(recs, b.NewRecord())
			in = 0
		}
	}
	return recs
}

func release(recs []arrow.Record) {
	for _, r := range recs {
		r.Release()
	}
}

// peoplePolicy uses techniques that treat a row by itself or by its place in
// the read, and one that looks at another column.
func peoplePolicy() *masking.Policy {
	name := func(n string, c masking.Column) masking.Column { c.Name = n; return c }
	who := tolerant(keyed(column("pseudonym", "bits", "80")))
	who.Class = masking.ClassDirect
	return &masking.Policy{Name: "people", Columns: []masking.Column{
		name("who", who),
		name("age", with(column("generalize", "to", "range", "width", "10"), func(c *masking.Column) { c.Nulls = "suppress" })),
		name("born", tolerant(keyed(column("date_shift", "subject", "who", "range", "30")))),
		name("city", keyed(tolerant(column("pram", "categories", "220202;220211", "keep", "1/2")))),
	}}
}

func peopleMasker(t require.TestingT, mem memory.Allocator, p *masking.Policy) masking.Masker {
	m, err := masking.CompileWith(p, peopleSchema, masking.Sources{Keys: testKeys{}, Alloc: mem})
	require.NoError(t, err)
	return m
}

func lines(r array.RecordReader) []string {
	var out []string
	for r.Next() {
		for i := range int(r.Record().NumRows()) {
			line := ""
			for _, c := range r.Record().Columns() {
				line += valuesOf(c)[i] + "|"
			}
			out = append(out, line)
		}
	}
	return out
}

// TestBatchingDoesNotShow: any batching, by one goroutine or several, gives the
// same table and the same counts.
func TestBatchingDoesNotShow(t *testing.T) {
	const n = 180
	whole := people(t, memory.DefaultAllocator, n, []int{n})
	src, err := array.NewRecordReader(peopleSchema, whole)
	require.NoError(t, err)
	m := peopleMasker(t, nil, peoplePolicy())
	want := lines(masking.NewReader(context.Background(), src, m))
	report := m.Report()
	require.Greater(t, report.Dropped, int64(10))
	rapid.Check(t, func(rt *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		recs := people(rt, mem, n, rapid.SliceOfN(rapid.IntRange(1, 60), 1, 8).Draw(rt, "sizes"))
		defer release(recs)
		src, err := array.NewRecordReader(peopleSchema, recs)
		require.NoError(rt, err)
		defer src.Release()
		m := peopleMasker(rt, mem, peoplePolicy())
		workers := rapid.IntRange(0, 4).Draw(rt, "workers")
		if workers == 0 {
			r := masking.NewReader(context.Background(), src, m)
			defer r.Release()
			require.Equal(rt, want, lines(r))
			require.Equal(rt, report, m.Report())
			return
		}
		r := masking.NewParallelReader(context.Background(), src, m, workers)
		defer r.Release()
		require.Equal(rt, want, lines(r))
		require.NoError(rt, r.Err())
		require.Equal(rt, report, m.Report())
		require.Equal(rt, report, r.Report())
	})
}

// TestSampleIsTheSameInAnyBatching, and what is masked is what is masked of
// the whole table.
func TestSampleIsTheSameInAnyBatching(t *testing.T) {
	p := peoplePolicy()
	p.Columns[3] = with(column("keep"), func(c *masking.Column) { c.Name = "city" })
	table := func(p *masking.Policy, sizes []int) ([]string, masking.Report) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		recs := people(t, mem, 300, sizes)
		defer release(recs)
		src, err := array.NewRecordReader(peopleSchema, recs)
		require.NoError(t, err)
		defer src.Release()
		r := masking.NewParallelReader(context.Background(), src, peopleMasker(t, mem, p), 3)
		defer r.Release()
		out := lines(r)
		require.NoError(t, r.Err())
		return out, r.Report()
	}
	all, _ := table(p, []int{300})
	p.Sample = &masking.Sample{Column: "who", Rate: "0.3", Key: "lineage", Kind: "mobile"}
	want, report := table(p, []int{300})
	require.Subset(t, all, want)
	require.EqualValues(t, 300, report.Rows)
	require.InDelta(t, 210, report.NotSampled, 40)
	require.EqualValues(t, len(want), report.Kept())
	for _, sizes := range [][]int{{1}, {7}, {100, 1, 50}} {
		got, again := table(p, sizes)
		require.Equal(t, want, got)
		require.Equal(t, report, again)
	}
}

func TestErrorsCountOverTheRead(t *testing.T) {
	p := peoplePolicy()
	p.Columns[3].Malformed = "" // row 3 of the read is bad
	p.Columns[1].Nulls = masking.Refuse
	p.Sample = &masking.Sample{Column: "who", Rate: "0.999", Key: "lineage"}
	for _, sizes := range [][]int{{1}, {2}, {180}} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		recs := people(t, mem, 180, sizes)
		for _, workers := range []int{0, 4} {
			src, err := array.NewRecordReader(peopleSchema, recs)
			require.NoError(t, err)
			var r array.RecordReader = masking.NewParallelReader(context.Background(), src, peopleMasker(t, mem, p), workers)
			if workers == 0 {
				r.Release()
				r = masking.NewReader(context.Background(), src, peopleMasker(t, mem, p))
			}
			for r.Next() {
			}
			var re *masking.RowError
			require.ErrorAs(t, r.Err(), &re)
			if sizes[0] < 180 {
				require.Equal(t, masking.RowError{Column: "city", Row: 3, Rule: re.Rule}, *re)
			}
			require.False(t, r.Next())
			r.Release()
			src.Release()
		}
		release(recs)
		mem.AssertSize(t, 0)
	}
}

var errSource = errors.New("source failed")

// broken is a source that fails after so many batches.
type broken struct {
	array.RecordReader
	left int
}

func (b *broken) Next() bool {
	b.left--
	return b.left >= 0 && b.RecordReader.Next()
}

func (b *broken) Err() error { return errSource }

func TestParallelReaderEndsClean(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	recs := people(t, mem, 200, []int{5})
	defer release(recs)
	before := runtime.NumGoroutine()
	for taken := range 12 {
		src, err := array.NewRecordReader(peopleSchema, recs)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		r := masking.NewParallelReader(ctx, &broken{src, 10}, peopleMasker(t, mem, peoplePolicy()), 4)
		for range 1000 { // a goroutine that was waited for is counted until it is gone
			if runtime.NumGoroutine() == before {
				break
			}
			time.Sleep(time.Millisecond)
		}
		require.Equal(t, before, runtime.NumGoroutine(), "nothing runs before Next")
		for i := range taken {
			require.Equal(t, i < 10, r.Next())
		}
		if taken == 11 {
			require.ErrorIs(t, r.Err(), errSource)
		}
		if taken == 5 {
			cancel()
			require.False(t, r.Next())
			require.ErrorIs(t, r.Err(), context.Canceled)
		}
		r.Retain()
		r.Release()
		r.Release()
		cancel()
		src.Release()
	}
}

func TestSizeOfASliceIsItsOwn(t *testing.T) {
	recs := people(t, memory.DefaultAllocator, 1000, []int{1000})
	whole, part := masking.SizeOf(recs[0]), masking.SizeOf(recs[0].NewSlice(10, 20))
	require.InDelta(t, 1000*(11+4+8+4+8), whole, 2000)
	require.InDelta(t, 10*(11+4+8+4+8), part, 100)
}

func TestPolicyWideRules(t *testing.T) {
	name := func(n string, c masking.Column) masking.Column { c.Name = n; return c }
	base := func() *masking.Policy {
		p := peoplePolicy()
		p.Columns[3] = name("city", column("keep"))
		return p
	}
	for says, change := range map[string]func(*masking.Policy){
		"release: want": func(p *masking.Policy) { p.Release = "abroad" },
		"release: outside": func(p *masking.Policy) {
			p.Release = masking.Outside
			p.Columns[0] = name("who", keyed(direct(column("encrypt"))))
		},
		"needs the name of a key": func(p *masking.Policy) { p.Columns[0].Key = "" },
		"takes none":              func(p *masking.Policy) { p.Columns[3].Key = "k" },
		"order-preserving":        func(p *masking.Policy) { p.Columns[1] = name("age", keyed(column("order-preserving"))) },
		"may only be treated by":  func(p *masking.Policy) { p.Columns[0] = name("who", direct(keyed(column("shuffle")))) },
		"may not be kept":         func(p *masking.Policy) { p.Columns[0] = name("who", direct(column("keep"))) },
		"another column":          func(p *masking.Policy) { p.Columns[2].Params["subject"] = "born" },
		"parameter subject":       func(p *masking.Policy) { p.Columns[2].Params["subject"] = "nobody" },
		"sample rate":             func(p *masking.Policy) { p.Sample = &masking.Sample{Column: "who", Rate: "2", Key: "k"} },
		"is not in the schema":    func(p *masking.Policy) { p.Sample = &masking.Sample{Column: "x", Rate: "0.1", Key: "k"} },
		"lineage key":             func(p *masking.Policy) { p.Sample = &masking.Sample{Column: "who", Rate: "0.1"} },
		"does not name a subject": func(p *masking.Policy) { p.Sample = &masking.Sample{Column: "born", Rate: "0.1", Key: "k"} },
	} {
		p := base()
		require.Empty(t, masking.Check(p, peopleSchema))
		change(p)
		found := masking.Check(p, peopleSchema)
		require.Len(t, found, 1, says)
		require.ErrorContains(t, &found[0], says)
		_, err := masking.CompileWith(p, peopleSchema, masking.Sources{Keys: testKeys{}, Noise: testNoise{}})
		require.ErrorContains(t, err, says)
		require.NotEqual(t, base().Hash(), p.Hash(), says)
	}
}

func TestCheckFindsEverything(t *testing.T) {
	p := peoplePolicy()
	p.Release = "x"
	p.Sample = &masking.Sample{Column: "born"}
	p.Columns[0].Grade = ""
	p.Columns[1].Technique = "perturb"
	p.Columns = append(p.Columns, masking.Column{Name: "ghost"})
	p.Columns[3].Name = "town"
	var got []string
	for _, f := range masking.Check(p, peopleSchema) {
		got = append(got, f.Error())
	}
	require.Len(t, got, 7)
	for i, says := range []string{`"city": is not in the policy`, `"town": is not in the schema`, `"ghost": is not in the schema`,
		"release", "sample", `"who": grade`, `"age": parameter`} {
		require.Contains(t, got[i], says)
	}
	require.Len(t, masking.Check(nil, nil), 1)
}

func TestKeysAndNoiseMustBeThere(t *testing.T) {
	p := peoplePolicy()
	_, err := masking.Compile(p, peopleSchema, nil, nil)
	require.ErrorContains(t, err, "no source of keys")
	noisy := &masking.Policy{Columns: []masking.Column{with(column("perturb", "epsilon", "1", "lower", "0", "upper", "9"), func(c *masking.Column) { c.Name = "n" })}}
	one := arrow.NewSchema([]arrow.Field{{Name: "n", Type: i64}}, nil)
	_, err = masking.Compile(noisy, one, nil, nil)
	require.ErrorContains(t, err, "no source of noise")
	require.Empty(t, masking.Check(noisy, one), "what a policy needs is not a fault of it")
}

func TestDescribeCoversTheTable(t *testing.T) {
	all := masking.Describe()
	require.Len(t, all, 13)
	keyed := 0
	for _, d := range all {
		for _, text := range []string{d.Technique, d.Title, d.TitleZH, d.Class, d.Types, d.Reversible, d.NotProtected} {
			require.NotEmpty(t, text, d.Technique)
		}
		if d.Keyed {
			keyed++
		}
	}
	require.Equal(t, 7, keyed)
}
