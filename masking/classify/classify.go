package classify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

const (
	// DefaultSample is how many rows are judged when Options says nothing.
	DefaultSample = 10_000
	// MaxSample is the largest sample.
	MaxSample = 1 << 20
	// MaxColumns is the widest table.
	MaxColumns = 4096
	// maxCells bounds what is kept: 24 bytes a cell, 100 MB.
	maxCells = 4 << 20
)

// ErrOptions says that the options cannot be. The caller corrects them.
var ErrOptions = errors.New("classify: options")

// Options is a literal; Classify checks it.
type Options struct {
	// Sample is how many rows are judged: DefaultSample when 0, at most
	// MaxSample. Wide tables get fewer, so that 4 million cells are kept at most.
	Sample int
	// Seed chooses the rows. Keep it from who could place values by it.
	Seed uint64
	// AsOf is the day birthdays are held against: none lies after it, and who
	// was born less than 18 years before it is a minor. Zero: not judged.
	AsOf time.Time
	// Floor is the lowest grade any column gets; empty: Grade1.
	Floor Grade
	// Rules raise grades by what the operator knows, as catalogues of important
	// data say.
	Rules []GradeRule
}

// GradeRule raises the grade of the columns that fit every part that is given.
type GradeRule struct {
	Type    Type  // of this type
	Class   Class // of this class
	Header  string
	MinRows int64 // in a table of at least so many rows
	Grade   Grade
}

// Report says what is in a table. It holds no value.
type Report struct {
	Rows    int64 // of the whole read
	Sampled int   // rows judged
	Columns []Result
}

// Result is what was found of one column.
type Result struct {
	Index  int    // in the schema
	Column string // its name; empty when HeaderIsData
	// HeaderIsData: the name looks itself like an identifier and is not repeated.
	HeaderIsData bool
	Kind         Kind // how it is stored
	Type         Type
	Class        Class
	Grade        Grade
	// Confidence in Type from 0 to 1: the lower end of a 95% interval of the share
	// that passed, drawn up by a header that agrees. It is an order, no probability.
	Confidence float64
	// Mixed lists the kinds of identifier a column holds, Type among them, when
	// there is more than one.
	Mixed []Share
	// Said is the type the header names; empty: none.
	Said Type
	// Disagrees: the header names a type that the values do not bear out. Class
	// and grade are those of the header if they are higher.
	Disagrees bool
	// Minors: the header or the birthdays say that most are under 18.
	Minors   bool
	Evidence Evidence
}

// Share is a type and how many of the values judged passed for it.
type Share struct {
	Type   Type
	Passed int
}

// Evidence counts. Nulls are of the whole read, all others of the sample.
type Evidence struct {
	Nulls    int64
	Sampled  int // rows of the sample
	Blank    int // empty, or a word that stands for nothing
	Values   int // the others, not null: what shares are taken of
	Distinct int // different values among them
	Passed   int // for the type found
	Embedded int // text holding a phone, resident number or mail address
	Others   []Share
}

// Kind is how a column is stored.
type Kind string

// Kinds.
const (
	KindText      Kind = "text"
	KindInteger   Kind = "integer"
	KindFloat     Kind = "float"
	KindDecimal   Kind = "decimal"
	KindDate      Kind = "date"
	KindTimestamp Kind = "timestamp"
	KindBool      Kind = "bool"
	KindBinary    Kind = "binary"
	KindNull      Kind = "null"
	KindOther     Kind = "other" // not looked into
)

// Classify reads src to its end and judges each column on a sample of rows drawn
// from the whole read. Memory is that of the sample. The caller keeps its
// reference to src. Errors name the step and the column by its number.
func Classify(ctx context.Context, src array.RecordReader, o Options) (*Report, error) {
	if src == nil {
		return nil, fmt.Errorf("%w: a reader is needed", ErrOptions)
	}
	schema := src.Schema()
	if err := o.check(schema); err != nil {
		return nil, err
	}
	columns := make([]*column, schema.NumFields())
	scan := newScanner(o.AsOf)
	for i := range columns {
		columns[i] = newColumn(schema.Field(i).Type, scan)
	}
	size := o.Sample
	if n := len(columns); n > 0 && size > maxCells/n {
		size = maxCells / n
	}
	rows, err := draw(ctx, src, columns, newReservoir(size, o.Seed))
	if err != nil {
		return nil, err
	}
	r := &Report{Rows: rows, Sampled: int(min(rows, int64(size)))}
	for i, c := range columns {
		r.Columns = append(r.Columns, c.result(i, schema.Field(i).Name, rows, &o))
	}
	return r, nil
}

func (o *Options) check(schema *arrow.Schema) error {
	if o.Sample == 0 {
		o.Sample = DefaultSample
	}
	switch {
	case o.Sample < 1 || o.Sample > MaxSample:
		return fmt.Errorf("%w: sample: want 1 to %d rows", ErrOptions, MaxSample)
	case o.Floor != "" && o.Floor.rank() == 0:
		return fmt.Errorf("%w: floor: want 1 to 4, important or core", ErrOptions)
	case schema.NumFields() > MaxColumns:
		return fmt.Errorf("%w: more than %d columns", ErrOptions, MaxColumns)
	}
	for i, r := range o.Rules {
		if r.Grade.rank() == 0 {
			return fmt.Errorf("%w: rule %d: grade: want 1 to 4, important or core", ErrOptions, i+1)
		}
	}
	return nil
}

// draw goes through the read and looks at the drawn rows.
func draw(ctx context.Context, src array.RecordReader, columns []*column, pool *reservoir) (int64, error) {
	var rows int64
	var at, slot []int
	for src.Next() {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("classify: after %d rows: %w", rows, err)
		}
		rec := src.Record()
		if int(rec.NumCols()) != len(columns) {
			return 0, fmt.Errorf("classify: after %d rows: a batch has another number of columns", rows)
		}
		at, slot = at[:0], slot[:0]
		for i := range int(rec.NumRows()) {
			if s := pool.slot(rows + int64(i)); s >= 0 {
				at, slot = append(at, i), append(slot, s)
			}
		}
		for i, c := range columns {
			if err := c.take(rec.Column(i), at, slot); err != nil {
				return 0, fmt.Errorf("classify: column %d after %d rows: %w", i+1, rows, err)
			}
		}
		rows += rec.NumRows()
	}
	if err := src.Err(); err != nil {
		return 0, fmt.Errorf("classify: read after %d rows: %w", rows, err)
	}
	return rows, nil
}
