package compute

import (
	"context"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// Cost is what a plan will take, known before any data is read.
type Cost struct {
	Rows    int64  // most records the plan reads; 0 = as many as the source has
	Bytes   int64  // bound on working memory; beyond it Run ends with ErrLimit
	Epsilon string // privacy loss as a decimal, "" for exact engines
	Delta   string
	Depth   int // multiplicative depth of encrypted engines, else 0
}

// Engine turns a query into a plan.
type Engine interface {
	// Prepare checks the query against the schema of the source and parses
	// every literal. Errors wrap ErrQuery or ErrSchema and depend on nothing in
	// the data.
	Prepare(ctx context.Context, q *Query, in *arrow.Schema) (Plan, error)
}

// Plan is a checked query. It holds no data, may be run again and from several
// goroutines at once.
type Plan interface {
	Cost() Cost
	// Columns names the fields that Run needs, each once. A source may hand in
	// others and in any order.
	Columns() []string
	// Run reads src to its end and returns the whole answer or an error. It
	// neither releases src nor keeps anything of a batch.
	Run(ctx context.Context, src array.RecordReader) (*Result, error)
}
