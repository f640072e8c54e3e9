package dateshift

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
)

func TestParameters(t *testing.T) {
	p, err := Parse(map[string]string{"subject": "who", "kind": "resident_id", "range": "30", "nonzero": "true"})
	require.NoError(t, err)
	require.Equal(t, Params{Subject: "who", Kind: identifier.ResidentID, Range: 30, NonZero: true}, p)
	for _, bad := range []map[string]string{{"range": "0"}, {"range": "-1"}, {"range": "+5"}, {"range": "36526"}, {"range": "1e3"},
		{"range": ""}, {"range": "010"}, {"nonzero": "yes"}, {"kind": "face"}, {"key": "k"}} {
		_, err := Parse(bad)
		require.Error(t, err, "%v", bad)
	}
	for _, bad := range []Params{{}, {Subject: "who"}, {Range: 3}, {Subject: "w\xff", Range: 3}, {Subject: "who", Range: MaxRange + 1},
		{Subject: "who", Range: 3, Kind: "face"}} {
		_, err := New(bad, testKey)
		require.Error(t, err, "%+v", bad)
	}
	for _, size := range []int{0, 15, 65} {
		_, err := New(year, make([]byte, size))
		require.Error(t, err)
	}
}

func TestTypes(t *testing.T) {
	k := kernelOf(t, year)
	for _, typ := range []arrow.DataType{arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.Timestamp_ns,
		arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString} {
		out, err := k.Type(typ)
		require.NoError(t, err)
		require.Equal(t, typ, out)
	}
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.ListOf(arrow.FixedWidthTypes.Date32), arrow.FixedWidthTypes.Time64us} {
		_, err := k.Type(typ)
		require.ErrorIs(t, err, kernel.ErrType)
	}
}

// The same subject moves every column, whatever its type, by the same days.
func TestOneShiftForEveryTypeOfColumn(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	who := fromJSON(t, mem, arrow.BinaryTypes.String, `["张三","李四","张三",null," 张三 "]`)
	defer who.Release()
	k := kernelOf(t, year)
	const days = `["2001-03-04","2001-03-04","2002-03-04",null,"2001-03-04"]`
	text := fromJSON(t, mem, arrow.BinaryTypes.String, days)
	defer text.Release()
	want := mask(t, k, envOf(mem, who), text)
	require.Equal(t, want[0], want[4], "white space around a subject is no part of it")
	require.NotEqual(t, want[0], want[1])
	require.Equal(t, "-", want[3], "a null without a subject stays a null")
	for _, typ := range []arrow.DataType{arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64, arrow.BinaryTypes.LargeString} {
		in := fromJSON(t, mem, typ, days)
		require.Equal(t, want, mask(t, k, envOf(mem, who), in), "%s", typ)
		in.Release()
	}
	for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		in := fromJSON(t, mem, &arrow.TimestampType{Unit: unit},
			`["2001-03-04 05:06:07","2001-03-04 05:06:07","2002-03-04 05:06:07",null,"2001-03-04 05:06:07"]`)
		for i, got := range mask(t, k, envOf(mem, who), in) {
			if want[i] == "-" {
				require.Equal(t, "-", got)
				continue
			}
			require.Equal(t, want[i], got[:10])
			require.Contains(t, got, "05:06:07", "the time of day stays")
		}
		in.Release()
	}
}

func TestIntervalsStay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Params{Subject: "who", Range: rapid.IntRange(1, 4000).Draw(rt, "range"), NonZero: rapid.Bool().Draw(rt, "nonzero")}
		people := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 1200).Draw(rt, "people")
		days := rapid.SliceOfN(rapid.Int32Range(-30000, 30000), len(people), len(people)).Draw(rt, "days")
		from := rapid.IntRange(0, len(people)-1).Draw(rt, "from")
		wb, db := array.NewStringBuilder(memory.DefaultAllocator), array.NewDate32Builder(memory.DefaultAllocator)
		for i := range people {
			wb.Append(people[i])
			db.Append(arrow.Date32(days[i]))
		}
		n := int64(len(people))
		who, in := array.NewSlice(wb.NewArray(), int64(from), n), array.NewSlice(db.NewArray(), int64(from), n)
		out, err := kernelOf(rt, p).Mask(envOf(memory.DefaultAllocator, who), in)
		require.NoError(rt, err)
		moved := map[string]int32{}
		for i := range out.Len() {
			by := int32(out.(*array.Date32).Value(i)) - days[from+i]
			require.LessOrEqual(rt, by, int32(p.Range))
			require.GreaterOrEqual(rt, by, int32(-p.Range))
			require.False(rt, p.NonZero && by == 0)
			if old, ok := moved[people[from+i]]; ok {
				require.Equal(rt, old, by)
			}
			moved[people[from+i]] = by
		}
	})
}

func TestSubjectsOfEveryType(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	k := kernelOf(t, year)
	in := fromJSON(t, mem, arrow.FixedWidthTypes.Date32, `["2001-03-04","2001-03-04","2001-03-04"]`)
	defer in.Release()
	text := fromJSON(t, mem, arrow.BinaryTypes.String, `["7","120","7"]`)
	defer text.Release()
	want := mask(t, k, envOf(mem, text), in)
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Uint64} {
		who := fromJSON(t, mem, typ, `[7,120,7]`)
		require.Equal(t, want, mask(t, k, envOf(mem, who), in), "%s", typ)
		who.Release()
	}
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	for _, words := range []string{`["x","120","7"]`, `["120","7","7"]`} {
		vals := fromJSON(t, mem, arrow.BinaryTypes.String, words)
		at := `[2,1,2]`
		if words[2] == '1' {
			at = `[1,0,2]`
		}
		idx := fromJSON(t, mem, arrow.PrimitiveTypes.Int8, at)
		who := array.NewDictionaryArray(dict, idx, vals)
		require.Equal(t, want, mask(t, k, envOf(mem, who), in))
		who.Release()
		idx.Release()
		vals.Release()
	}
}

func TestRefusals(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	k := kernelOf(t, Params{Subject: "who", Range: 3650, NonZero: true})
	who := fromJSON(t, mem, arrow.BinaryTypes.String, `["a",null,"","a"]`)
	defer who.Release()
	for _, c := range []struct {
		typ  arrow.DataType
		json string
		rows []int
	}{
		{arrow.BinaryTypes.String, `["2001-03-04","2001-03-04","2001-03-04","2001-02-29"]`, []int{1, 2, 3}},
		{arrow.BinaryTypes.LargeString, `["20010304",null,"20010304","2001-3-4"]`, []int{2, 3}},
		{arrow.FixedWidthTypes.Date32, `["2001-03-04","2001-03-04",null,null]`, []int{1}},
	} {
		in := fromJSON(t, mem, c.typ, c.json)
		_, err := k.Mask(envOf(mem, who), in)
		var ve *kernel.ValueError
		require.ErrorAs(t, err, &ve)
		require.Equal(t, c.rows[0], ve.Row)
		require.NotContains(t, err.Error(), "2001")
		env := envOf(dirty{mem}, who)
		env.Tolerate = true
		out, err := k.Mask(env, in)
		require.NoError(t, err)
		require.Equal(t, c.rows, env.Suppressed())
		for _, row := range c.rows {
			require.True(t, out.IsNull(row))
		}
		require.False(t, out.IsNull(0))
		require.NotContains(t, everyByte(out), oldSecret[:4])
		out.Release()
		in.Release()
	}
	in := fromJSON(t, mem, arrow.FixedWidthTypes.Date32, `["2001-03-04"]`)
	defer in.Release()
	_, err := k.Mask(envOf(mem, who), in)
	require.ErrorIs(t, err, kernel.ErrCorrupt, "as many subjects as dates")
	_, err = k.Mask(&kernel.Env{Alloc: mem}, in)
	require.ErrorIs(t, err, kernel.ErrType)
	none := errors.New("no such column")
	_, err = k.Mask(&kernel.Env{Alloc: mem, Column: func(string) (arrow.Array, error) { return nil, none }}, in)
	require.ErrorIs(t, err, none)
	_, err = k.Mask(envOf(mem, in), in)
	require.ErrorIs(t, err, kernel.ErrType, "a date is no subject")
}

func TestOverflowIsMalformed(t *testing.T) {
	mem := memory.DefaultAllocator
	var low, high string
	k := kernelOf(t, year)
	day := fromJSON(t, mem, arrow.FixedWidthTypes.Date32, `["2001-03-04"]`)
	for i := 0; low == "" || high == ""; i++ {
		name := fmt.Sprintf(`["p%d"]`, i)
		if got := mask(t, k, envOf(mem, fromJSON(t, mem, arrow.BinaryTypes.String, name)), day)[0]; got < "2001-03-04" {
			low = name
		} else {
			high = name
		}
	}
	d32, d64, ts := array.NewDate32Builder(mem), array.NewDate64Builder(mem), array.NewTimestampBuilder(mem, &arrow.TimestampType{Unit: arrow.Nanosecond})
	d32.AppendValues([]arrow.Date32{math.MinInt32, math.MaxInt32}, nil)
	d64.AppendValues([]arrow.Date64{math.MinInt64, math.MaxInt64}, nil)
	ts.AppendValues([]arrow.Timestamp{math.MinInt64, math.MaxInt64}, nil)
	for _, ends := range []arrow.Array{d32.NewArray(), d64.NewArray(), ts.NewArray(), fromJSON(t, mem, arrow.BinaryTypes.String, `["0000-01-01","9999-12-31"]`)} {
		for i, who := range []string{low, high} {
			env := envOf(mem, fromJSON(t, mem, arrow.BinaryTypes.String, who))
			env.Tolerate = true
			require.Equal(t, []string{"-"}, mask(t, k, env, array.NewSlice(ends, int64(i), int64(i+1))), "%s %d", ends.DataType(), i)
			env = envOf(mem, fromJSON(t, mem, arrow.BinaryTypes.String, []string{high, low}[i]))
			require.NotEqual(t, []string{"-"}, mask(t, k, env, array.NewSlice(ends, int64(i), int64(i+1))))
		}
	}
}

func TestNothingHiddenSurvives(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	const canary = 0x59524152
	b := array.NewDate32Builder(mem)
	b.AppendValues([]arrow.Date32{canary, 1000, canary, 2000, canary}, []bool{true, true, false, true, true})
	whole := b.NewArray()
	b.Release()
	defer whole.Release()
	copy(whole.Data().Buffers()[1].Bytes()[8:12], "RARY")
	in := array.NewSlice(whole, 1, 4)
	defer in.Release()
	who := fromJSON(t, mem, arrow.BinaryTypes.String, `["CANARY","CANARY","CANARY"]`)
	defer who.Release()
	out, err := kernelOf(t, year).Mask(envOf(dirty{mem}, who), in)
	require.NoError(t, err)
	defer out.Release()
	all := everyByte(out)
	for _, bad := range []string{"RARY", "CANA", "OLDS"} {
		require.NotContains(t, all, bad)
	}
	require.NotSame(t, in.Data().Buffers()[0], out.Data().Buffers()[0])
}

// Two recipients, and two ranges, do not explain each other's shifts.
func TestShiftsDependOnKeyRangeAndKind(t *testing.T) {
	mem := memory.DefaultAllocator
	wb := array.NewStringBuilder(mem)
	db := array.NewDate32Builder(mem)
	for i := range 600 {
		wb.Append(fmt.Sprint(i))
		db.Append(0)
	}
	who, in := wb.NewArray(), db.NewArray()
	seen := map[string]bool{}
	for _, p := range []Params{year, {Subject: "who", Range: 365}, {Subject: "who", Range: 366, NonZero: true}} {
		for _, key := range []string{"0123456789abcdef", "0123456789abcdeg"} {
			k, err := New(p, []byte(key))
			require.NoError(t, err)
			got := fmt.Sprint(mask(t, k, envOf(mem, who), in))
			require.False(t, seen[got])
			seen[got] = true
		}
	}
}

// A fixed key: the statistic does not change from run to run. Its 99.99%
// quantile at 20 degrees of freedom is 52.4.
func TestShiftsAreUniform(t *testing.T) {
	const n, reach = 21 * 2000, 10
	mem := memory.DefaultAllocator
	wb, db := array.NewInt32Builder(mem), array.NewDate32Builder(mem)
	for i := range int32(n) {
		wb.Append(i)
		db.Append(0)
	}
	out, err := kernelOf(t, Params{Subject: "who", Range: reach}).Mask(envOf(mem, wb.NewArray()), db.NewArray())
	require.NoError(t, err)
	var count [2*reach + 1]float64
	for i := range n {
		count[int(out.(*array.Date32).Value(i))+reach]++
	}
	chi := 0.0
	for _, c := range count {
		chi += (c - 2000) * (c - 2000) / 2000
	}
	require.Less(t, chi, 52.4)
}

func TestUnevenWordsAreDrawnAgain(t *testing.T) {
	d := kernelOf(t, Params{Subject: "who", Range: 10}).draw
	zero := make([]byte, 32)
	_, ok := d.shift(zero)
	require.False(t, ok, "21 does not divide 2^64, so that word 0 is uneven")
	message := []byte("\x00who")
	first := d.of(zero, message)
	require.Equal(t, byte(1), message[0])
	require.Equal(t, first, d.of(zero, []byte("\x00who")))
	zero[31] = 1
	days, ok := d.shift(append(zero[:24], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	require.True(t, ok)
	require.Equal(t, int32(10), days)
	require.Equal(t, []int32{-1, 1}, []int32{draw{reach: 1, skip: true}.place(0), draw{reach: 1, skip: true}.place(1)})
}

func TestEveryDay(t *testing.T) {
	at := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	var buf [10]byte
	for day := int32(minDay); day <= maxDay; day++ {
		y, m, d := at.Date()
		gotY, gotM, gotD := civil(day)
		if day != dayOf(uint32(y), uint32(m), uint32(d)) || int(gotY) != y || gotM != uint32(m) || int(gotD) != d {
			require.FailNow(t, "wrong day", "%v", at)
		}
		if day%97 == 0 {
			writeDay(buf[:], day)
			require.Equal(t, at.Format("2006-01-02"), string(buf[:]))
		}
		at = at.AddDate(0, 0, 1)
	}
}

func FuzzParseDay(f *testing.F) {
	for _, s := range []string{"2000-02-29", "20000229", "1900-02-29", "0000-01-01", "2001/01/01", "2001-13-01", "2001-0101", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		layout := "2006-01-02"
		if len(s) == 8 {
			layout = "20060102"
		}
		want, err := time.Parse(layout, s)
		day, ok := parseDay([]byte(s))
		require.Equal(t, err == nil && len(s) == len(layout), ok)
		if ok {
			require.EqualValues(t, want.Unix()/86400, day)
			buf := make([]byte, len(s))
			writeDay(buf, day)
			require.Equal(t, s, string(buf))
		}
	})
}
