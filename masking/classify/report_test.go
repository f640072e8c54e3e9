package classify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/classify"
)

func newMaker(seed uint64) *maker { return &maker{Rand: rand.New(rand.NewPCG(seed, 1))} }

func (m *maker) many(n int, make func(*maker) string) []string {
	out := []string{}
	for range n {
		out = append(out, make(m))
	}
	return out
}

// reader makes a reader of one record cut into batches.
func reader(t testing.TB, rec arrow.Record, batch int64) array.RecordReader {
	var recs []arrow.Record
	for at := int64(0); at < rec.NumRows(); at += batch {
		recs = append(recs, rec.NewSlice(at, min(at+batch, rec.NumRows())))
	}
	r, err := array.NewRecordReader(rec.Schema(), recs)
	require.NoError(t, err)
	for _, s := range recs {
		s.Release()
	}
	return r
}

// register has a column of every storage.
func register(mem memory.Allocator, rows int) arrow.Record {
	m := newMaker(3)
	str := arrow.BinaryTypes.String
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "rid", Type: str}, {Name: "name", Type: str}, {Name: "phone", Type: arrow.PrimitiveTypes.Int64}, {Name: "birth", Type: arrow.FixedWidthTypes.Date32},
		{Name: "sex", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: str}}, {Name: "wage", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}},
		{Name: "lat", Type: arrow.PrimitiveTypes.Float64}, {Name: "age", Type: arrow.PrimitiveTypes.Uint8}, {Name: "face_feature", Type: arrow.BinaryTypes.Binary},
		{Name: "created", Type: &arrow.TimestampType{Unit: arrow.Millisecond}}, {Name: "objection", Type: arrow.FixedWidthTypes.Boolean}, {Name: "nothing", Type: arrow.Null},
		{Name: "tags", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)}, {Name: "district", Type: arrow.BinaryTypes.LargeString}, {Name: "birth_no", Type: arrow.PrimitiveTypes.Int32},
		{Name: "home_id", Type: str}, {Name: "email", Type: str}, {Name: "住址", Type: str}, {Name: "备注", Type: str}, {Name: "证件号码", Type: str}, {Name: "地区", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i := range rows {
		f := b.Fields()
		f[0].(*array.StringBuilder).Append(m.resident())
		f[1].(*array.StringBuilder).Append(m.name())
		f[2].(*array.Int64Builder).Append(13000000000 + m.Int64N(900000000))
		f[3].(*array.Date32Builder).Append(arrow.Date32(m.IntN(20000)))
		_ = f[4].(*array.BinaryDictionaryBuilder).AppendString(pick(m, []string{"男", "女"}))
		f[5].(*array.Decimal128Builder).Append(decimal128.FromI64(m.Int64N(1000000)))
		f[6].(*array.Float64Builder).Append(43 + m.Float64())
		f[7].(*array.Uint8Builder).Append(uint8(m.IntN(90)))
		f[8].(*array.BinaryBuilder).Append([]byte(m.chars("\x00\x81\xff\x90", 40)))
		f[9].(*array.TimestampBuilder).Append(arrow.Timestamp(m.Int64N(1 << 40)))
		f[10].(*array.BooleanBuilder).Append(m.IntN(2) == 0)
		f[11].AppendNull()
		f[12].AppendNull()
		f[13].(*array.LargeStringBuilder).Append(pick(m, realRegions))
		f[14].(*array.Int32Builder).Append(int32(19000101 + 10000*m.IntN(100)))
		f[15].(*array.StringBuilder).Append("H" + fmt.Sprint(100000+i))
		f[16].(*array.StringBuilder).Append(m.email())
		f[17].(*array.StringBuilder).Append(m.address())
		f[18].(*array.StringBuilder).Append(m.sentence() + "联系人手机" + "139" + m.digits(8))
		f[19].(*array.StringBuilder).Append([]string{m.resident(), m.passport()}[i%2])
		f[20].(*array.Int64Builder).Append(220202)
	}
	return b.NewRecord()
}

func TestEveryStorage(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := register(mem, 500)
	defer rec.Release()
	r := reader(t, rec, 64)
	defer r.Release()
	rep, err := classify.Classify(context.Background(), r, classify.Options{})
	require.NoError(t, err)
	want := map[string]classify.Type{
		"rid": classify.ResidentID, "name": classify.PersonName, "phone": classify.Mobile, "birth": classify.BirthDate, "sex": classify.Gender, "wage": classify.Money,
		"lat": classify.Location, "age": classify.Age, "face_feature": classify.Biometric, "created": classify.Date, "objection": classify.Boolean, "nothing": classify.Empty,
		"tags": classify.Unknown, "district": classify.RegionCode, "birth_no": classify.BirthDate, "home_id": classify.Code, "email": classify.Email, "住址": classify.Address,
		"备注": classify.FreeText, "证件号码": classify.ResidentID,
	}
	for _, c := range rep.Columns {
		if typ, ok := want[c.Column]; ok {
			require.Equalf(t, typ, c.Type, "%+v", c)
		}
	}
	require.Equal(t, classify.Direct, rep.Columns[18].Class, "text with phones in it")
	require.Len(t, rep.Columns[19].Mixed, 2)

	// The proposal compiles as a policy, but for storage that masking refuses.
	policy := &masking.Policy{Name: "proposed"}
	for _, p := range classify.Propose(rep).Columns {
		policy.Columns = append(policy.Columns, masking.Column{
			Name: p.Column, Class: string(p.Class), Grade: string(p.Grade), Technique: p.Technique,
			Params: p.Params, Key: p.Key, Nulls: p.Nulls, Malformed: p.Malformed,
		})
	}
	for _, f := range masking.Check(policy, rec.Schema()) {
		require.Contains(t, []string{"tags", "face_feature"}, f.Column, f.Error())
	}
}

// Nothing of the data is in the report, the proposal or an error.
func TestNoValueInReport(t *testing.T) {
	rec := register(memory.DefaultAllocator, 300)
	defer rec.Release()
	r := reader(t, rec, 50)
	defer r.Release()
	rep, err := classify.Classify(context.Background(), r, classify.Options{Sample: 100})
	require.NoError(t, err)
	text, err := json.Marshal([]any{rep, classify.Propose(rep)})
	require.NoError(t, err)
	all := string(text) + fmt.Sprintf("%+v %#v", rep, classify.Propose(rep))
	for _, i := range []int{0, 1, 16, 17, 18, 19} {
		col := rec.Column(i).(*array.String)
		for k := range col.Len() {
			if v := col.Value(k); len(v) >= 6 && strings.Contains(all, v) {
				t.Fatalf("column %d row %d is in the report", i, k)
			}
		}
	}
}

// The sample is of the whole read: what stands only in its tail is found, the
// result does not depend on batches, and every row is as likely to be drawn.
func TestSampleIsOfTheWholeRead(t *testing.T) {
	m := newMaker(9)
	values := append(m.many(30_000, func(m *maker) string { return "K" + m.digits(5) }), m.many(20_000, (*maker).resident)...)
	r := classifyText(t, "c1", values, classify.Options{Sample: 1000, Seed: 4})
	require.Equal(t, classify.ResidentID, r.Type)
	require.InDelta(t, 400, r.Evidence.Passed, 80, "5 standard deviations: 1 in 10^6")
	require.Equal(t, 1000, r.Evidence.Sampled)

	rec := register(memory.DefaultAllocator, 700)
	defer rec.Release()
	var first *classify.Report
	for _, batch := range []int64{1, 7, 256, 700} {
		src := reader(t, rec, batch)
		rep, err := classify.Classify(context.Background(), src, classify.Options{Sample: 90, Seed: 5})
		src.Release()
		require.NoError(t, err)
		if first == nil {
			first = rep
		}
		require.Equal(t, first, rep)
	}
}

func TestHeaders(t *testing.T) {
	m := newMaker(11)
	ids := m.many(200, (*maker).resident)

	r := classifyText(t, ids[0], ids, classify.Options{})
	require.True(t, r.HeaderIsData)
	require.Empty(t, r.Column)
	require.Equal(t, classify.ResidentID, r.Type)

	broken := m.many(200, func(m *maker) string {
		v := m.resident()
		return v[:17] + string("0123456789"[(strings.IndexByte("0123456789", v[16])+1)%10]) + "Q"
	})
	r = classifyText(t, "身份证号", broken, classify.Options{})
	require.NotEqual(t, classify.ResidentID, r.Type)
	require.True(t, r.Disagrees)
	require.Equal(t, classify.Direct, r.Class)
	require.Equal(t, classify.Grade3, r.Grade)

	r = classifyText(t, "证件类型", m.many(100, func(m *maker) string { return pick(m, []string{"1", "2", "3"}) }), classify.Options{})
	require.Equal(t, classify.Attribute, r.Class)
	for header, class := range map[string]classify.Class{"学历": classify.Quasi, "occupation": classify.Quasi, "marital-status": classify.Quasi, "race": classify.Quasi, "等级": classify.Attribute} {
		r = classifyText(t, header, m.many(100, func(m *maker) string { return pick(m, []string{"A-level", "B-level", "C-level"}) }), classify.Options{})
		require.Equal(t, class, r.Class, header)
	}
	r = classifyText(t, "患者手机号", m.many(100, (*maker).mobile), classify.Options{})
	require.Equal(t, classify.Grade4, r.Grade, "of a patient")
	r = classifyText(t, "学生姓名", m.many(100, (*maker).name), classify.Options{})
	require.True(t, r.Minors)
	require.Equal(t, classify.Grade4, r.Grade)
	r = classifyText(t, "是否残疾", m.many(100, func(m *maker) string { return pick(m, []string{"是", "否"}) }), classify.Options{})
	require.Equal(t, classify.Boolean, r.Type)
	require.Equal(t, classify.Sensitive, r.Class)
	r = classifyText(t, "涉密编号", m.many(100, func(m *maker) string { return m.digits(6) }), classify.Options{})
	require.Equal(t, classify.Core, r.Grade)
	require.Equal(t, "suppress", classify.Propose(&classify.Report{Columns: []classify.Result{r}}).Columns[0].Technique)
}

// Three resident numbers in a hundred codes are no type, yet raise the grade.
func TestTracesRaise(t *testing.T) {
	m := newMaker(14)
	code := func(m *maker) string { return "K" + m.digits(7) }
	clean := classifyText(t, "c", m.many(1000, code), classify.Options{})
	require.NotEqual(t, classify.Direct, clean.Class)
	r := classifyText(t, "c", append(m.many(970, code), m.many(30, (*maker).resident)...), classify.Options{})
	require.Equal(t, classify.Code, r.Type)
	require.Equal(t, classify.Direct, r.Class)
	require.Equal(t, classify.Grade3, r.Grade)
}

func TestMinorsByBirthday(t *testing.T) {
	m := newMaker(12)
	o := classify.Options{AsOf: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)}
	r := classifyText(t, "c", m.many(100, (*maker).childID), o)
	require.True(t, r.Minors)
	require.Equal(t, classify.Grade4, r.Grade)
	require.False(t, classifyText(t, "c", m.many(100, (*maker).resident), o).Minors)
	o.AsOf = time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC)
	require.NotEqual(t, classify.ResidentID, classifyText(t, "c", m.many(100, (*maker).childID), o).Type, "nobody is born in the future")
}

func TestRulesOnlyRaise(t *testing.T) {
	m := newMaker(13)
	ids := m.many(50, (*maker).resident)
	for _, c := range []struct {
		o    classify.Options
		want classify.Grade
	}{
		{classify.Options{}, classify.Grade3},
		{classify.Options{Floor: classify.Grade1}, classify.Grade3},
		{classify.Options{Floor: classify.Grade4}, classify.Grade4},
		{classify.Options{Rules: []classify.GradeRule{{Type: classify.ResidentID, Grade: classify.Grade2}}}, classify.Grade3},
		{classify.Options{Rules: []classify.GradeRule{{Type: classify.ResidentID, MinRows: 50, Grade: classify.Important}}}, classify.Important},
		{classify.Options{Rules: []classify.GradeRule{{Type: classify.ResidentID, MinRows: 51, Grade: classify.Important}}}, classify.Grade3},
		{classify.Options{Rules: []classify.GradeRule{{Header: "SFZ", Grade: classify.Important}, {Class: classify.Direct, Grade: classify.Core}}}, classify.Core},
	} {
		require.Equal(t, c.want, classifyText(t, "sfzh", ids, c.o).Grade)
	}
}

func TestRefusals(t *testing.T) {
	rec := register(memory.DefaultAllocator, 10)
	defer rec.Release()
	for _, o := range []classify.Options{
		{Sample: -1}, {Sample: classify.MaxSample + 1}, {Floor: "5"}, {Rules: []classify.GradeRule{{Grade: ""}}},
	} {
		r := reader(t, rec, 5)
		_, err := classify.Classify(context.Background(), r, o)
		r.Release()
		require.ErrorIs(t, err, classify.ErrOptions)
	}
	_, err := classify.Classify(context.Background(), nil, classify.Options{})
	require.ErrorIs(t, err, classify.ErrOptions)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := reader(t, rec, 5)
	defer r.Release()
	_, err = classify.Classify(ctx, r, classify.Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, classify.Propose(nil).Columns)
	_, err = classify.Classify(context.Background(), failing{r}, classify.Options{})
	require.ErrorIs(t, err, errDisk)
}

var errDisk = errors.New("disk")

type failing struct{ array.RecordReader }

func (failing) Next() bool { return false }
func (failing) Err() error { return errDisk }

// FuzzClassify: no bytes panic, whatever the header; a report is made whole.
func FuzzClassify(f *testing.F) {
	m := newMaker(1)
	for _, fam := range families() {
		f.Add(fam.said[0], []byte(fam.make(m)+"\n"+fam.make(m)))
	}
	f.Add("\xff\xfe", []byte("\xe4\xb8\n１２３\n"+strings.Repeat("王", 400)))
	f.Add("_", []byte("::\n.\n-\n+86\n·\n阿·\n1,\n1,234\n￥\n2026年\n京A"))
	f.Fuzz(func(t *testing.T, header string, data []byte) {
		var values []string
		for _, v := range bytes.Split(data, []byte("\n")) {
			values = append(values, string(v))
		}
		r := classifyText(t, header, values, classify.Options{Sample: 64, AsOf: time.Unix(0, 0)})
		require.NotEmpty(t, r.Type)
		require.NotEmpty(t, r.Class)
		require.NotEmpty(t, r.Grade)
		require.GreaterOrEqual(t, r.Confidence, 0.0)
		require.LessOrEqual(t, r.Confidence, 1.0)
		require.NotEmpty(t, classify.Propose(&classify.Report{Columns: []classify.Result{r}}).Columns[0].Technique)
	})
}

// BenchmarkClassify: values looked at a second, one core; every row is sampled.
func BenchmarkClassify(b *testing.B) {
	for _, fam := range families() {
		if fam.said[0] != "身份证号" && fam.said[0] != "姓名" && fam.said[0] != "地址" && fam.said[0] != "手机号" && fam.said[0] != "备注" {
			continue
		}
		b.Run(string(fam.typ), func(b *testing.B) {
			m := newMaker(1)
			builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: fam.said[0], Type: arrow.BinaryTypes.String}}, nil))
			defer builder.Release()
			builder.Field(0).(*array.StringBuilder).AppendValues(m.many(10_000, fam.make), nil)
			rec := builder.NewRecord()
			defer rec.Release()
			for b.Loop() {
				r := reader(b, rec, 1000)
				_, err := classify.Classify(context.Background(), r, classify.Options{Sample: 10_000})
				r.Release()
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "values/s")
		})
	}
}
