package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/hetest"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	"github.com/yumen-project/yumen/compute/plain"
)

// oracleSchema is what is encrypted (a, b, d) beside the products that the clear engine sums.
var oracleSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.BinaryTypes.String},
	{Name: "district", Type: arrow.BinaryTypes.String},
	{Name: "class", Type: arrow.BinaryTypes.String},
	{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "b", Type: arrow.PrimitiveTypes.Int64},
	{Name: "d", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}},
	{Name: "aa", Type: &arrow.Decimal128Type{Precision: 38}, Nullable: true},
	{Name: "bb", Type: &arrow.Decimal128Type{Precision: 38}},
	{Name: "ab", Type: &arrow.Decimal128Type{Precision: 38}, Nullable: true},
	{Name: "score", Type: &arrow.Decimal128Type{Precision: 38}, Nullable: true},
}, nil)

const oracleWeightA, oracleWeightB = -37, 1 << 10

var oracleClasses = []string{"low", "none", "high"} // nobody is in "none"

// oracleTable is a table in the clear and encrypted.
type oracleTable struct {
	record   arrow.Record
	bound    int64
	sections []string
}

// oracleNumbers are numbers up to bound, from one of several shapes of data.
func oracleNumbers(r *mrand.Rand, bound int64) func() int64 {
	within := func() int64 { return r.Int64N(2*bound+1) - bound }
	return []func() int64{
		within,
		func() int64 { return -r.Int64N(bound + 1) },
		func() int64 { return bound },
		func() int64 { return -bound },
		func() int64 { return []int64{-bound, bound}[r.IntN(2)] },
		func() int64 { return 0 },
		func() int64 { return []int64{-1, 0, 1}[r.IntN(3)] },
		func() int64 {
			if r.IntN(20) == 0 {
				return []int64{-bound, bound}[r.IntN(2)]
			}
			return r.Int64N(3) - 1
		},
	}[r.IntN(8)]
}

func newOracleTable(t *testing.T, r *mrand.Rand, n int, bound int64) *oracleTable {
	t.Helper()
	x := &oracleTable{bound: bound}
	b := array.NewRecordBuilder(memory.DefaultAllocator, oracleSchema)
	defer b.Release()
	big128 := func(field int, v *big.Int) {
		b.Field(field).(*array.Decimal128Builder).Append(decimal128.FromBigInt(v))
	}
	as, bs, ds := oracleNumbers(r, bound), oracleNumbers(r, bound), oracleNumbers(r, min(bound, 1<<36))
	nulls := r.IntN(3) // none, some, nearly all
	for i := range n {
		district := []string{"east", "north", "west"}[i*3/n]
		if !slices.Contains(x.sections, district) {
			x.sections = append(x.sections, district)
		}
		va, vb := as(), bs()
		for f, s := range []string{fmt.Sprint("p", r.IntN(n)), district, []string{"low", "high"}[r.IntN(2)]} {
			b.Field(f).(*array.StringBuilder).Append(s)
		}
		b.Field(4).(*array.Int64Builder).Append(vb)
		big128(5, big.NewInt(ds()))
		big128(7, new(big.Int).Mul(big.NewInt(vb), big.NewInt(vb)))
		if nulls > 0 && r.IntN(10) < []int{0, 2, 9}[nulls] {
			for _, f := range []int{3, 6, 8, 9} {
				b.Field(f).AppendNull()
			}
			continue
		}
		b.Field(3).(*array.Int64Builder).Append(va)
		big128(6, new(big.Int).Mul(big.NewInt(va), big.NewInt(va)))
		big128(8, new(big.Int).Mul(big.NewInt(va), big.NewInt(vb)))
		score := new(big.Int).Mul(big.NewInt(va), big.NewInt(oracleWeightA))
		big128(9, score.Add(score, new(big.Int).Mul(big.NewInt(vb), big.NewInt(oracleWeightB))))
	}
	x.record = b.NewRecord()
	return x
}

func (x *oracleTable) reader(t *testing.T) array.RecordReader {
	t.Helper()
	r, err := array.NewRecordReader(oracleSchema, []arrow.Record{x.record})
	require.NoError(t, err)
	return r
}

// oracleKeys is a key set in memory.
type oracleKeys struct {
	*hetest.Set
	cert plan.Cert
}

func newOracleKeys(t *testing.T, p *he.Parameters, dataset string) *oracleKeys {
	t.Helper()
	k := &oracleKeys{Set: hetest.New(t, hetest.Literal{Params: p, Datasets: []string{dataset}})}
	hash, err := k.Cert.Hash()
	require.NoError(t, err)
	k.cert = plan.Cert{Hash: hash, Parameters: p, Threshold: k.Cert.Threshold, Datasets: k.Cert.Datasets, Cap: k.Cert.Cap, Expiry: k.Cert.Expiry}
	for _, h := range k.Cert.Holders {
		k.cert.Holders = append(k.cert.Holders, h.Name)
	}
	return k
}

// oracleStore keeps leaves in memory.
type oracleStore map[[3]string][][]byte

func (s oracleStore) Hashes(_ context.Context, dataset, version, lane string) ([][32]byte, error) {
	var out [][32]byte
	for _, l := range s[[3]string{dataset, version, lane}] {
		out = append(out, he.LeafHash(l))
	}
	return out, nil
}

func (s oracleStore) Leaf(_ context.Context, dataset, version, lane string, batch uint32, _ []byte) ([]byte, error) {
	return s[[3]string{dataset, version, lane}][batch], nil
}

// encrypt makes leaves and manifest of a table.
func (x *oracleTable) encrypt(t *testing.T, s oracleStore, k *oracleKeys, dataset string) *plan.Manifest {
	t.Helper()
	key, n := k.cert.Hash, k.cert.Parameters.N()
	bound, cents := uint64(x.bound), uint64(min(x.bound, 1<<36))
	lane := func(name string, kind plan.LaneKind, columns []string, bounds ...uint64) plan.LaneSpec {
		return plan.LaneSpec{Name: name, Kind: kind, Columns: columns, Bounds: bounds, Key: key, Degree: n, SkipNulls: true}
	}
	spec := plan.Spec{Dataset: dataset, Version: "1", Provider: "bureau", Subject: "id", Section: "district", HashKey: [32]byte{3}, Lanes: []plan.LaneSpec{
		lane("a", plan.Value, []string{"a"}, bound), lane("b", plan.Value, []string{"b"}, bound), lane("d", plan.Value, []string{"d"}, cents),
		lane("ga", plan.Bucketed, []string{"a"}, bound), lane("gd", plan.Bucketed, []string{"d"}, cents), lane("ones", plan.Bucketed, nil),
	}}
	if x.bound < 1<<31 {
		spec.Lanes = append(spec.Lanes, lane("aa", plan.Square, []string{"a"}, bound), lane("bb", plan.Square, []string{"b"}, bound),
			lane("ab", plan.Product, []string{"a", "b"}, bound, bound))
	}
	for i := range spec.Lanes {
		l := &spec.Lanes[i]
		switch {
		case l.Kind == plan.Bucketed:
			l.GroupBy, l.Groups = "class", oracleClasses
		case l.Name == "b" || l.Name == "bb":
			l.Present = []string{"a"}
		case l.Name == "a" || l.Name == "aa":
			l.Present = []string{"b"}
		}
	}
	e, err := he.NewEncryptor(k.cert.Parameters, k.Public, rand.Reader)
	require.NoError(t, err)
	rows := x.reader(t)
	defer rows.Release()
	b, err := plan.NewBuilder(oracleSchema, spec)
	require.NoError(t, err)
	for batch, err := range b.Batches(ctx(), rows) {
		require.NoError(t, err)
		leaf, err := batch.Encrypt(e, nil)
		require.NoError(t, err)
		at := [3]string{dataset, "1", batch.Lane}
		s[at] = append(s[at], slices.Clone(leaf.Bytes()))
		require.NoError(t, b.AddLeaf(batch.Lane, batch.Header.Batch, leaf.Hash()))
	}
	m, err := b.Manifest()
	require.NoError(t, err)
	return m
}

// twoWays answers a question both ways.
type twoWays struct {
	t         *testing.T
	tables    []*oracleTable // one a dataset
	datasets  []string
	manifests []*plan.Manifest
	keys      []*oracleKeys
	store     oracleStore
	sections  []string
	holders   []int // who answers
	asked     int
}

func (o *twoWays) ask(kind plan.Kind, columns ...plan.Column) *plan.Result {
	o.t.Helper()
	o.asked++
	q := &plan.Query{Kind: kind, Aggregate: "x", Scenario: "x", Requester: "bank", Purpose: "test", Time: 1, Expiry: 2, Sections: o.sections}
	for _, d := range o.datasets {
		q.Datasets = append(q.Datasets, plan.Ref{Dataset: d, Version: "1"})
		for _, c := range columns {
			c.Dataset = d
			q.Columns = append(q.Columns, c)
		}
	}
	var certs []plan.Cert
	for _, k := range o.keys {
		certs = append(certs, k.cert)
	}
	p, err := plan.Compile(q, o.manifests, certs)
	if field := columns[0].Field; o.number(o.clear(compute.Count, "", field)[""].Text).Sign() == 0 && columns[0].Lane != "ones" {
		var refusal *plan.Refusal
		require.ErrorAs(o.t, err, &refusal)
		require.Equal(o.t, plan.RuleEmpty, refusal.Rule)
		return nil
	}
	require.NoError(o.t, err)
	var opened []*big.Int
	if p.Opens() > 0 {
		opened = o.open(p)
	}
	res, err := plan.Finish(p, opened)
	require.NoError(o.t, err)
	return res
}

// open evaluates a plan twice, to the same bytes, and opens it with some of the holders.
func (o *twoWays) open(p *plan.Plan) []*big.Int {
	o.t.Helper()
	params := o.keys[0].cert.Parameters
	openings, err := plan.Evaluate(ctx(), p, params, o.store, plan.Options{})
	require.NoError(o.t, err)
	again, err := plan.Evaluate(ctx(), p, params, o.store, plan.Options{})
	require.NoError(o.t, err)
	one, err := threshold.ListHash(params, openings)
	require.NoError(o.t, err)
	two, err := threshold.ListHash(params, again)
	require.NoError(o.t, err)
	require.Equal(o.t, one, two)
	sharing, err := o.keys[0].Cert.Sharing()
	require.NoError(o.t, err)
	answers := map[int][]threshold.Answer{}
	for _, h := range o.holders {
		var shares []*threshold.Share
		for _, used := range p.Keys {
			i := slices.IndexFunc(o.keys, func(k *oracleKeys) bool { return k.cert.Hash == used.Key })
			shares = append(shares, o.keys[i].Shares[h])
		}
		answers[h], err = threshold.Open(shares, openings)
		require.NoError(o.t, err)
	}
	values, err := threshold.Combine(params, sharing, openings, answers, p.Bounds())
	require.NoError(o.t, err)
	return values
}

// clear asks the clear engine over all tables; by group, or under "".
func (o *twoWays) clear(kind compute.MeasureKind, group, field string) map[string]compute.Value {
	o.t.Helper()
	q := &compute.Query{Dataset: "x", RowSubjects: true, Measures: []compute.Measure{{Kind: kind, Field: field}}}
	if kind == compute.Count {
		q.Measures[0].Field = ""
	}
	if len(o.sections) > 0 {
		q.Filters = append(q.Filters, compute.Filter{Field: "district", Op: compute.In, Values: o.sections})
	}
	if group != "" {
		q.GroupBy = []string{group}
	}
	if field == "a" || field == "b" || field == "aa" || field == "bb" || field == "ab" || field == "score" { // rows where both are known
		q.Filters = append(q.Filters, compute.Filter{Field: "a", Op: compute.Ge, Value: "-9223372036854775808"})
	}
	var records []arrow.Record
	for _, x := range o.tables {
		records = append(records, x.record)
	}
	rows, err := array.NewRecordReader(oracleSchema, records)
	require.NoError(o.t, err)
	defer rows.Release()
	p, err := plain.New(plain.Options{}).Prepare(ctx(), q, oracleSchema)
	require.NoError(o.t, err)
	res, err := p.Run(ctx(), rows)
	require.NoError(o.t, err)
	out := map[string]compute.Value{}
	for _, c := range res.Cells {
		key := ""
		if group != "" {
			key = c.Keys[0]
		}
		out[key] = c.Values[0]
	}
	return out
}

func (o *twoWays) sum(field string) *big.Rat {
	return o.number(o.clear(compute.Sum, "", field)[""].Text)
}

func (o *twoWays) number(text string) *big.Rat {
	o.t.Helper()
	v, ok := new(big.Rat).SetString(text)
	require.True(o.t, ok)
	return v
}

func (o *twoWays) same(want *big.Rat, r *plan.Result, line int, name string) {
	o.t.Helper()
	for _, f := range r.Lines[line].Figures {
		if f.Name == name {
			if want == nil {
				require.Nil(o.t, f.Exact, name)
				return
			}
			require.NotNil(o.t, f.Exact, name)
			require.Zero(o.t, want.Cmp(f.Exact), "%s: %s, want %s", name, f.Exact.RatString(), want.RatString())
			return
		}
	}
	require.Fail(o.t, "no figure", name)
}

func lane(field, name string) plan.Column { return plan.Column{Field: field, Lane: name} }

// all asks every kind.
func (o *twoWays) all() {
	o.t.Helper()
	for _, f := range []string{"a", "b", "d"} {
		if r := o.ask(plan.KindCount, lane(f, f)); r != nil {
			o.same(o.number(o.clear(compute.Count, "", f)[""].Text), r, 0, "count")
		}
		if r := o.ask(plan.Sum, lane(f, f)); r != nil {
			require.Equal(o.t, o.clear(compute.Sum, "", f)[""].Text, r.Lines[0].Figures[0].Text)
			o.same(o.sum(f), r, 0, "sum")
		}
		if r := o.ask(plan.Mean, lane(f, f)); r != nil {
			want := o.clear(compute.Mean, "", f)[""]
			require.Equal(o.t, want.Text, r.Lines[0].Figures[1].Text)
			o.same(new(big.Rat).Quo(o.number(want.Numerator), o.number(want.Denominator)), r, 0, "mean")
		}
	}
	o.grouped()
	weighted := []plan.Column{lane("a", "a"), lane("b", "b")}
	weighted[0].Weight, weighted[1].Weight = oracleWeightA, oracleWeightB
	if len(o.datasets) == 1 {
		if r := o.ask(plan.Score, weighted...); r != nil {
			o.same(o.sum("score"), r, 0, "sum")
		}
	}
	if o.tables[0].bound < 1<<31 {
		o.moments()
	}
}

func (o *twoWays) grouped() {
	o.t.Helper()
	for _, f := range []string{"a", "d"} {
		sums, means := o.clear(compute.Sum, "class", f), o.clear(compute.Mean, "class", f)
		for _, kind := range []plan.Kind{plan.GroupSum, plan.GroupMean} {
			r := o.ask(kind, lane(f, "g"+f))
			for i, class := range oracleClasses {
				if r == nil {
					continue
				}
				require.Equal(o.t, class, r.Lines[i].Label)
				sum, ok := sums[class]
				if !ok {
					o.same(new(big.Rat), r, i, "sum")
					if kind == plan.GroupMean {
						o.same(nil, r, i, "mean")
					}
					continue
				}
				require.Equal(o.t, sum.Text, r.Lines[i].Figures[0].Text)
				if kind == plan.GroupMean {
					require.Equal(o.t, means[class].Text, r.Lines[i].Figures[1].Text)
				}
			}
		}
	}
	counts := o.clear(compute.Count, "class", "class")
	r := o.ask(plan.Histogram, lane("class", "ones"))
	for i, class := range oracleClasses {
		want := new(big.Rat)
		if v, ok := counts[class]; ok {
			want = o.number(v.Text)
		}
		o.same(want, r, i, "count")
	}
}

// moments are variance, covariance and correlation, from the clear engine's sums of products.
func (o *twoWays) moments() {
	o.t.Helper()
	n := o.number(o.clear(compute.Count, "", "a")[""].Text)
	if n.Sign() == 0 {
		o.ask(plan.Variance, lane("a", "a"), lane("a", "aa"))
		return
	}
	moment := func(ab, a, b string) *big.Rat { // n*sum(ab) - sum(a)*sum(b), over n^2
		m := new(big.Rat).Mul(n, o.sum(ab))
		m.Sub(m, new(big.Rat).Mul(o.sum(a), o.sum(b)))
		return m.Quo(m, new(big.Rat).Mul(n, n))
	}
	sample := func(m *big.Rat) *big.Rat {
		less := new(big.Rat).Sub(n, big.NewRat(1, 1))
		if less.Sign() == 0 {
			return nil
		}
		return new(big.Rat).Mul(m, new(big.Rat).Quo(n, less))
	}
	xx, yy, xy := moment("aa", "a", "a"), moment("bb", "b", "b"), moment("ab", "a", "b")
	r := o.ask(plan.Variance, lane("a", "a"), lane("a", "aa"))
	o.same(xx, r, 0, "variance_population")
	o.same(sample(xx), r, 0, "variance_sample")
	if len(o.datasets) > 1 {
		return
	}
	r = o.ask(plan.Covariance, lane("a", "a"), lane("b", "b"), lane("a", "ab"))
	o.same(xy, r, 0, "covariance_population")
	o.same(sample(xy), r, 0, "covariance_sample")
	r = o.ask(plan.Correlation, lane("a", "a"), lane("b", "b"), lane("a", "ab"), lane("a", "aa"), lane("b", "bb"))
	var squared *big.Rat
	if both := new(big.Rat).Mul(xx, yy); both.Sign() != 0 {
		squared = new(big.Rat).Quo(new(big.Rat).Mul(xy, xy), both)
	}
	o.same(squared, r, 0, "correlation_squared")
}

// Random tables, ranges and sections, one provider or two with keys of their own, any two or three holders: every
// figure that was encrypted, added, opened and finished is the clear engine's.
func TestEncryptedAnswersEqualTheClearEngine(t *testing.T) {
	small, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	full, err := he.NewParameters(he.AddLiteral())
	require.NoError(t, err)
	r := mrand.New(mrand.NewPCG(20261031, 5))
	asked := 0
	sets := map[*he.Parameters][]*oracleKeys{}
	for _, p := range []*he.Parameters{small, full} {
		sets[p] = []*oracleKeys{newOracleKeys(t, p, "one"), newOracleKeys(t, p, "two")}
	}
	for i := range 120 {
		params := small
		if i%16 == 7 {
			params = full
		}
		o := &twoWays{t: t, store: oracleStore{}, holders: [][]int{{1, 2}, {1, 3}, {2, 3}, {1, 2, 3}}[r.IntN(4)]}
		bound := []int64{1, 90, 1 << 18, 1<<31 - 1, 1 << 40, 1 << 45}[r.IntN(6)]
		for j := range 1 + r.IntN(2) {
			x := newOracleTable(t, r, 3+r.IntN(300), bound)
			o.tables, o.datasets, o.keys = append(o.tables, x), append(o.datasets, []string{"one", "two"}[j]), append(o.keys, sets[params][j])
			o.manifests = append(o.manifests, x.encrypt(t, o.store, o.keys[j], o.datasets[j]))
		}
		o.sections = [][]string{nil, {"east"}, {"east", "west"}, {"north"}}[r.IntN(4)]
		o.all()
		asked += o.asked
	}
	t.Logf("%d questions", asked)
}
