package plan

import (
	"fmt"
	"slices"
)

// Kind says what a query computes.
type Kind string

// The kinds of queries and the lanes they want. Where several datasets are
// allowed each brings the same kinds of lanes, and what is computed runs over the
// records of all of them together.
const (
	KindCount   Kind = "count"       // one lane a dataset; signed rows, nothing is opened
	Sum         Kind = "sum"         // Value a dataset
	Mean        Kind = "mean"        // Value a dataset
	Variance    Kind = "variance"    // Value and Square of one column a dataset
	Covariance  Kind = "covariance"  // Value x, Value y, Product xy; or Value x of one dataset, Reversed y of another
	Correlation Kind = "correlation" // as Covariance, and Square x, Square y
	GroupSum    Kind = "group_sum"   // Bucketed with a column, a dataset
	GroupMean   Kind = "group_mean"  // as GroupSum
	Histogram   Kind = "histogram"   // Bucketed without a column (ones), a dataset
	Score       Kind = "score"       // weighted row-aligned lanes: the total and the mean score
)

// Kinds in the order of the documentation.
func Kinds() []Kind {
	return []Kind{KindCount, Sum, Mean, Variance, Covariance, Correlation, GroupSum, GroupMean, Histogram, Score}
}

func (k Kind) grouped() bool { return k == GroupSum || k == GroupMean || k == Histogram }

// Ref names one version of a dataset.
type Ref struct{ Dataset, Version string }

// Column names a lane of a dataset and the field it is made of.
type Column struct {
	Dataset, Field, Lane string
	Weight               int64 // Score: what a value counts, not 0; 0 otherwise
}

// Query is what a requester signs. There are no filters and no leaf ranges: lanes,
// sections and groups are named. Class: exact.
type Query struct {
	Kind      Kind
	Aggregate string // registered id
	Scenario  string
	Requester string // party
	Purpose   string // at most 1024 bytes
	Datasets  []Ref  // by rising dataset, each once
	Columns   []Column
	Sections  []string // none: all
	Groups    []string // none: all
	Time      int64    // Unix seconds
	Expiry    int64    // Unix seconds, after Time
	Signature []byte   // of SigningBytes; not under the hash
}

const (
	queryPrefix = "YHQY\x01"
	queryDomain = "yumen encrypted query 1"

	maxDatasets = 16
	maxQuery    = 64
	maxWeight   = 1 << 30
	// MaxQuery bounds the bytes of a query.
	MaxQuery = 1 << 20
)

func (q *Query) check() error {
	if q == nil || !slices.Contains(Kinds(), q.Kind) {
		return fmt.Errorf("%w: kind of query", ErrInvalid)
	}
	if !distinctNames([]string{q.Aggregate}) || !validName(q.Scenario) || !validName(q.Requester) || !validText(q.Purpose, maxText) {
		return fmt.Errorf("%w: aggregate, scenario, requester or purpose", ErrInvalid)
	}
	if q.Time <= 0 || q.Expiry <= q.Time {
		return fmt.Errorf("%w: time or expiry", ErrInvalid)
	}
	if len(q.Datasets) == 0 || len(q.Datasets) > maxDatasets || len(q.Columns) == 0 || len(q.Columns) > maxQuery {
		return fmt.Errorf("%w: %d datasets, %d columns", ErrInvalid, len(q.Datasets), len(q.Columns))
	}
	for i, d := range q.Datasets {
		if !validName(d.Dataset) || !validName(d.Version) || i > 0 && q.Datasets[i-1].Dataset >= d.Dataset {
			return fmt.Errorf("%w: dataset %d", ErrInvalid, i)
		}
	}
	if err := q.checkColumns(); err != nil {
		return err
	}
	if len(q.Sections) > maxSections || len(q.Groups) > maxGroups || !distinctNames(q.Sections) || !distinctNames(q.Groups) ||
		len(q.Groups) > 0 && !q.Kind.grouped() {
		return fmt.Errorf("%w: sections or groups", ErrInvalid)
	}
	return nil
}

func (q *Query) checkColumns() error {
	used := map[string]bool{}
	for i, c := range q.Columns {
		if !validName(c.Dataset) || !validName(c.Field) || !validName(c.Lane) || (q.Kind == Score) != (c.Weight != 0) ||
			c.Weight > maxWeight || c.Weight < -maxWeight {
			return fmt.Errorf("%w: column %d", ErrInvalid, i)
		}
		if slices.ContainsFunc(q.Columns[:i], func(o Column) bool { return o.Dataset == c.Dataset && o.Lane == c.Lane }) {
			return fmt.Errorf("%w: column %d stands twice", ErrInvalid, i)
		}
		if q.Version(c.Dataset) == "" {
			return fmt.Errorf("%w: column %d of no dataset of the query", ErrInvalid, i)
		}
		used[c.Dataset] = true
	}
	if len(used) != len(q.Datasets) {
		return fmt.Errorf("%w: a dataset without a column", ErrInvalid)
	}
	return nil
}

// Version of a dataset in the query, empty if it is not in it.
func (q *Query) Version(dataset string) string {
	for _, d := range q.Datasets {
		if d.Dataset == dataset {
			return d.Version
		}
	}
	return ""
}

func (q *Query) body() ([]byte, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	w := &writer{}
	w.raw(queryPrefix)
	for _, s := range []string{string(q.Kind), q.Aggregate, q.Scenario, q.Requester, q.Purpose} {
		w.text(s)
	}
	w.u32(uint32(len(q.Datasets)))
	for _, d := range q.Datasets {
		w.text(d.Dataset)
		w.text(d.Version)
	}
	w.u32(uint32(len(q.Columns)))
	for _, c := range q.Columns {
		w.text(c.Dataset)
		w.text(c.Field)
		w.text(c.Lane)
		w.u64(uint64(c.Weight))
	}
	w.texts(q.Sections)
	w.texts(q.Groups)
	w.u64(uint64(q.Time))
	w.u64(uint64(q.Expiry))
	return w.b, nil
}

// SigningBytes is what the requester signs.
func (q *Query) SigningBytes() ([]byte, error) {
	b, err := q.body()
	if err != nil {
		return nil, err
	}
	return append([]byte(queryDomain), b...), nil
}

// Hash is SM3 of SigningBytes: the signature is not in it.
func (q *Query) Hash() ([32]byte, error) {
	b, err := q.body()
	if err != nil {
		return [32]byte{}, err
	}
	return hashOf(queryDomain, b), nil
}

// Bytes is the canonical form with the signature.
func (q *Query) Bytes() ([]byte, error) { return signed(q.body, q.Signature) }

// ParseQuery accepts the canonical form only, of at most MaxQuery bytes. It
// verifies no signature.
func ParseQuery(b []byte) (*Query, error) {
	if len(b) > MaxQuery {
		return nil, fmt.Errorf("%w: query of %d bytes", ErrMalformed, len(b))
	}
	r := &reader{b: b}
	r.expect(queryPrefix)
	q := &Query{
		Kind: Kind(r.text(maxName)), Aggregate: r.text(maxName), Scenario: r.text(maxName),
		Requester: r.text(maxName), Purpose: r.text(maxText),
	}
	for range r.count(maxDatasets, 8) {
		q.Datasets = append(q.Datasets, Ref{Dataset: r.text(maxName), Version: r.text(maxName)})
	}
	for range r.count(maxQuery, 20) {
		q.Columns = append(q.Columns, Column{
			Dataset: r.text(maxName), Field: r.text(maxName), Lane: r.text(maxName), Weight: int64(r.u64()),
		})
	}
	q.Sections, q.Groups = r.texts(maxSections), r.texts(maxGroups)
	q.Time, q.Expiry = int64(r.u64()), int64(r.u64())
	q.Signature = r.signature()
	if !r.done() {
		return nil, fmt.Errorf("%w: query", ErrMalformed)
	}
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("%w: query: %w", ErrMalformed, err)
	}
	return q, nil
}
