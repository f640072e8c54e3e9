// Package risk measures, on a table before and after masking, how far its
// records can be told apart and what its classes betray; finds the recoding
// that keeps most under given bounds; and leaves out the records of classes
// that are too small.
//
//   - Classes, Diversity, SuppressBelow, Enforce: two streaming passes.
//   - Table: chosen columns as codes, 4 bytes a cell. Figures measures it, and
//     Assess writes the report of before and after.
//   - Search: full-domain recoding, the optimum of a lattice of hierarchies.
//   - Mondrian: local recoding for more columns than a lattice can take.
//
// What is protected: after SuppressBelow(k), Search or Mondrian every record
// left shares all its quasi-identifier values with at least k-1 others left;
// with bounds on sensitive columns a class betrays no more of them than those
// say. What is not: columns not named as quasi-identifiers; sensitive columns
// without a bound; an attacker who knows which recoding the search would have
// chosen for other tables (minimality); the joint view of two releases of one
// table. Estimates of population uniqueness rest on a model. None of this is
// anonymity. Errors and reports hold counts, names of columns and numbers of
// rows, and never a value.
package risk

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
)

// ErrUnknownClass: a record has values that the counting pass never saw. The
// source changed between the passes: discard the output and begin again.
var ErrUnknownClass = errors.New("record of an unknown class: the source changed between passes")

// Classes counts records by their quasi-identifier values. Two records are of
// one class when every quasi-identifier is equal: null equals null, text
// compares by its bytes whatever its encoding, -0 equals 0, NaN equals NaN.
// It is not safe for concurrent use.
type Classes struct {
	names   []string
	encs    []encoder
	schema  *arrow.Schema
	at      map[string]int32
	counts  []int64
	rows    int64
	scratch []byte
}

// NewClasses prepares counting over the columns named of batches of a schema.
// Without columns all records are of one class. Each name must appear once in
// the schema and have a flat type.
func NewClasses(schema *arrow.Schema, quasi []string) (*Classes, error) {
	c := &Classes{names: quasi, schema: schema, at: make(map[string]int32)}
	seen := make(map[string]bool, len(quasi))
	for _, name := range quasi {
		at := schema.FieldIndices(name)
		if len(at) != 1 || seen[name] {
			return nil, fmt.Errorf("count classes: column %q: want it exactly once", name)
		}
		seen[name] = true
		enc, err := encoderOf(schema.Field(at[0]).Type)
		if err != nil {
			return nil, fmt.Errorf("count classes: column %q: %w", name, err)
		}
		c.encs = append(c.encs, encoder{column: at[0], write: enc})
	}
	return c, nil
}

// Add counts the records of a batch.
func (c *Classes) Add(rec arrow.Record) error {
	cols, err := c.open(rec)
	if err != nil {
		return err
	}
	for i := range int(rec.NumRows()) {
		if _, err := c.count(cols, i); err != nil {
			return err
		}
	}
	return nil
}

// count adds one record and gives the number of its class.
func (c *Classes) count(cols []cells, row int) (int32, error) {
	key := c.key(cols, row)
	id, ok := c.at[string(key)]
	if !ok {
		if len(c.counts) == math.MaxInt32 {
			return 0, errors.New("count classes: more classes than can be counted")
		}
		id = int32(len(c.counts))
		c.at[string(key)] = id
		c.counts = append(c.counts, 0)
	}
	c.counts[id]++
	c.rows++
	return id, nil
}

// Rows is the number of records counted.
func (c *Classes) Rows() int64 { return c.rows }

// Len is the number of classes.
func (c *Classes) Len() int { return len(c.counts) }

// K is the size of the smallest class; 0 when nothing was counted.
func (c *Classes) K() int64 {
	var k int64
	for _, n := range c.counts {
		if k == 0 || n < k {
			k = n
		}
	}
	return k
}

// Below is the number of records in classes of fewer than k.
func (c *Classes) Below(k int64) int64 {
	var n int64
	for _, size := range c.counts {
		if size < k {
			n += size
		}
	}
	return n
}

// Size is the size of the class that row i of a batch belongs to, 0 if it was
// never counted.
func (c *Classes) Size(rec arrow.Record, i int) (int64, error) {
	if i < 0 || int64(i) >= rec.NumRows() {
		return 0, errors.New("class size: no such row")
	}
	cols, err := c.open(rec)
	if err != nil {
		return 0, err
	}
	id, ok := c.at[string(c.key(cols, i))]
	if !ok {
		return 0, nil
	}
	return c.counts[id], nil
}

// open checks the batch and gives its quasi-identifier columns.
func (c *Classes) open(rec arrow.Record) ([]cells, error) {
	cols := make([]cells, len(c.encs))
	for i, e := range c.encs {
		if e.column >= int(rec.NumCols()) || rec.ColumnName(e.column) != c.names[i] ||
			!arrow.TypeEqual(rec.Column(e.column).DataType(), c.schema.Field(e.column).Type) {
			return nil, fmt.Errorf("count classes: column %q differs from the schema", c.names[i])
		}
		cell, err := e.write(rec.Column(e.column))
		if err != nil {
			return nil, fmt.Errorf("count classes: column %q: %w", c.names[i], err)
		}
		cols[i] = cell
	}
	return cols, nil
}

// key writes the quasi-identifiers of a row so that no two different rows have
// the same bytes. The map compares keys whole: equal hashes do no harm. It is
// valid until the next call.
func (c *Classes) key(cols []cells, row int) []byte {
	c.scratch = c.scratch[:0]
	for _, cell := range cols {
		c.scratch = cell(c.scratch, row)
	}
	return c.scratch
}
