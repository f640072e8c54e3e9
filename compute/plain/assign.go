package plain

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/compute"
)

// None marks a record without a subject, or in no cell.
const None = none

// Assignment is a table with the place of every record in it. It is raw data:
// for those who judge tables, never for those who read them.
type Assignment struct {
	// Result is what Run computes.
	Result *compute.Result
	// Subject numbers the subject of each record from 0 in the order of first
	// appearance, filtered out or not; None for a record without one.
	Subject []uint32
	// Cell is the position of each record's cell in Result.Cells; None for a record
	// that the filters or the lack of a subject left out.
	Cell []uint32
	// Valued says of each record whether it has a value, for the summed fields in
	// which some record has none.
	Valued map[string][]bool
}

// trace is an Assignment in the making; cells are numbers of groups.
type trace struct {
	subject, group []uint32
	valued         [][]bool // by summed field
	nulls          []bool   // by summed field: some record has none
}

// Assign computes a table as Run does and keeps where each record went, at nine
// bytes a record and more, within MaxMemory. The plan must be this engine's.
func Assign(ctx context.Context, p compute.Plan, src array.RecordReader) (*Assignment, error) {
	own, ok := p.(*plan)
	if !ok {
		return nil, fmt.Errorf("assign records: %w: the plan is not this engine's", compute.ErrQuery)
	}
	r, err := newRun(own)
	defer r.close()
	if err != nil {
		return nil, fmt.Errorf("assign records: %w", err)
	}
	t := &trace{valued: make([][]bool, len(own.sums)), nulls: make([]bool, len(own.sums))}
	r.trace = t
	res, err := r.read(ctx, src)
	if err != nil {
		return nil, err
	}
	out := &Assignment{Result: res, Subject: t.subject, Cell: t.group, Valued: map[string][]bool{}}
	r.toCells(out)
	for k, col := range own.sums {
		if t.nulls[k] {
			out.Valued[own.fields[col].name] = t.valued[k]
		}
	}
	return out, nil
}

// traceRecords notes subjects and values of the window's n records.
func (r *run) traceRecords(n int) error {
	t := r.trace
	if t == nil {
		return nil
	}
	if err := r.pool.charge(int64(n * (8 + len(t.valued)))); err != nil {
		return err
	}
	if r.subj != nil {
		t.subject = append(t.subject, r.subj.ids[:n]...)
	} else {
		if len(t.subject)+n > maxSubjects {
			return fmt.Errorf("%w: more than %d records", compute.ErrLimit, maxSubjects)
		}
		for range n {
			t.subject = append(t.subject, uint32(len(t.subject)))
		}
	}
	for range n {
		t.group = append(t.group, none)
	}
	for k, col := range r.plan.sums {
		c := r.cols[col]
		for i := range n {
			ok := c.nulls == nil || c.valid(i)
			t.valued[k] = append(t.valued[k], ok)
			t.nulls[k] = t.nulls[k] || !ok
		}
	}
	return nil
}

// traceCells notes the groups of the window's selected records.
func (r *run) traceCells(n int, sel []int32) {
	if r.trace == nil {
		return
	}
	at := r.trace.group[len(r.trace.group)-n:]
	for k, i := range sel {
		at[i] = r.groups.ids[k]
	}
}

// toCells turns numbers of groups into positions of cells.
func (r *run) toCells(a *Assignment) {
	known := make(map[string]uint32, len(a.Result.Cells))
	for i := range a.Result.Cells {
		known[joined(a.Result.Cells[i].Keys)] = uint32(i)
	}
	at := slices.Repeat([]uint32{none}, r.groups.size())
	for g := range at {
		if r.records.v[g] > 0 {
			at[g] = known[joined(r.groups.keys(uint32(g)))]
		}
	}
	for i, g := range a.Cell {
		if g != none {
			a.Cell[i] = at[g]
		}
	}
}

// joined writes keys as one text, different for different keys.
func joined(keys []string) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(strconv.Itoa(len(k)))
		b.WriteByte(':')
		b.WriteString(k)
	}
	return b.String()
}
