package plan

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/yumen-project/yumen/compute/he"
)

// buffer collects the batch of a lane that is being filled.
type buffer struct {
	lane  *lane
	next  uint32 // number of the batch
	rows  []int64
	used  int   // positions in use, row-aligned
	fill  []int // Bucketed: records of each group in this batch
	dirty bool
}

func newBuffer(l *lane) *buffer {
	return &buffer{lane: l, fill: make([]int, l.out.groups())}
}

// put writes a value and says whether the batch is full.
func (f *buffer) put(group int, value int64) bool {
	n := int(f.lane.out.Degree)
	if f.rows == nil {
		f.rows = make([]int64, n)
	}
	f.dirty = true
	if f.lane.out.Kind != Bucketed {
		f.rows[f.used] = value
		f.used++
		return f.used == n
	}
	if group < 0 {
		return false
	}
	g := len(f.fill)
	f.rows[group+f.fill[group]*g] = value
	f.fill[group]++
	return f.fill[group] == int(f.lane.out.slots(group))
}

// flush hands the batch on.
func (f *buffer) flush(b *Builder, out *emitter) error {
	l := f.lane
	rows := f.used
	if l.out.Kind == Bucketed {
		rows = int(l.out.Degree)
	}
	batch := &Batch{
		Lane: l.out.Name, Bound: int64(l.out.Bound), Reversed: l.out.Kind == Reversed, Values: f.rows[:rows],
		Header: he.Header{Key: l.out.Key, Lane: he.LaneID(b.spec.Dataset, b.spec.Version, l.out.Name), Batch: f.next, Rows: uint32(rows)},
	}
	f.next++
	f.rows, f.used, f.dirty = nil, 0, false
	clear(f.fill)
	return out.emit(batch)
}

func (b *Builder) record(rec arrow.Record, out *emitter) error {
	v, err := b.view(rec)
	if err != nil {
		return err
	}
	for i := range int(rec.NumRows()) {
		if err := b.row(v, i, out); err != nil {
			return err
		}
		b.rows++
	}
	return nil
}

// view has the getters of one record's columns.
type view struct {
	rec     arrow.Record
	numbers []numbers // by column index
	texts   []textOf
}

func (b *Builder) view(rec arrow.Record) (*view, error) {
	n := int(rec.NumCols())
	v := &view{rec: rec, numbers: make([]numbers, n), texts: make([]textOf, n)}
	var err error
	for _, l := range b.lanes {
		for _, i := range l.numbers {
			if v.numbers[i], err = numbersOf(rec.Column(i)); err != nil {
				return nil, fmt.Errorf("column %q: %w", b.schema.Field(i).Name, err)
			}
		}
		if err := b.viewText(v, l.group); err != nil {
			return nil, err
		}
	}
	if err := b.viewText(v, b.subject); err != nil {
		return nil, err
	}
	return v, b.viewText(v, b.section)
}

func (b *Builder) viewText(v *view, i int) error {
	if i < 0 || v.texts[i] != nil {
		return nil
	}
	var err error
	if v.texts[i], err = textsOf(v.rec.Column(i)); err != nil {
		return fmt.Errorf("column %q: %w", b.schema.Field(i).Name, err)
	}
	return nil
}

// text of a column that must not be null.
func (b *Builder) text(v *view, column, i int) (string, error) {
	if isNull(v.rec.Column(column), i) {
		return "", b.bad(column, "null")
	}
	return v.texts[column](i), nil
}

func (b *Builder) bad(column int, rule string) error {
	return fmt.Errorf("%w: column %q row %d: %s", ErrSource, b.schema.Field(column).Name, b.rows, rule)
}

func (b *Builder) row(v *view, i int, out *emitter) error {
	section := AllRows
	var subject uint64
	var err error
	if b.section >= 0 {
		if section, err = b.text(v, b.section, i); err != nil {
			return err
		}
	}
	if section != b.current {
		if err := b.begin(section, out); err != nil {
			return err
		}
	}
	if b.subject >= 0 {
		text, err := b.text(v, b.subject, i)
		if err != nil {
			return err
		}
		subject = b.subjectHash(text)
	}
	for n, l := range b.lanes {
		if b.groups[n], err = b.put(l, v, i, subject, out); err != nil {
			return err
		}
	}
	for _, f := range b.refinements {
		if err := f.add(b.groups, subject, b.key); err != nil {
			return err
		}
	}
	return nil
}

// put gives the record to one lane and returns the group it counts in, -1 for none.
func (b *Builder) put(l *lane, v *view, i int, subject uint64, out *emitter) (int, error) {
	group, err := b.groupOf(l, v, i)
	if err != nil {
		return 0, err
	}
	value := int64(0)
	if group >= 0 {
		if value, err = b.value(l, v, i); err != nil {
			return 0, err
		}
		l.tallies[group].add(subject, magnitude(value))
		if b.trace != nil {
			b.trace.add(l, b.current, group, subject, value)
		}
	}
	l.out.Sections[len(l.out.Sections)-1].Positions += positions(l, group)
	if l.buffer.put(group, value) {
		return group, l.buffer.flush(b, out)
	}
	return group, nil
}

// positions: a skipped record takes a position of a row-aligned lane only.
func positions(l *lane, group int) uint64 {
	if group < 0 && l.out.Kind == Bucketed {
		return 0
	}
	return 1
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

// groupOf is -1 for a record that the lane skips.
func (b *Builder) groupOf(l *lane, v *view, i int) (int, error) {
	for _, columns := range [][]int{l.numbers, l.present} {
		for _, c := range columns {
			if !isNull(v.rec.Column(c), i) {
				continue
			}
			if l.spec.SkipNulls {
				return -1, nil
			}
			return 0, b.bad(c, "null")
		}
	}
	if l.group < 0 {
		return 0, nil
	}
	g, ok := l.buckets[v.texts[l.group](i)]
	if !ok {
		return 0, b.bad(l.group, "not a group of the lane")
	}
	return g, nil
}

// value multiplies the columns; bounds were checked not to overflow.
func (b *Builder) value(l *lane, v *view, i int) (int64, error) {
	value := int64(1)
	for k, c := range l.numbers {
		x, ok := v.numbers[c](i)
		if !ok || magnitude(x) > l.spec.Bounds[k] {
			return 0, b.bad(c, "beyond the declared bound")
		}
		value *= x
	}
	if l.out.Kind == Square {
		value *= value
	}
	return value, nil
}

// begin ends the section before and starts one.
func (b *Builder) begin(name string, out *emitter) error {
	if err := b.endSection(out); err != nil {
		return err
	}
	if b.seen[name] || len(b.seen) >= maxSections || !validName(name) {
		return b.bad(max(b.section, 0), "rows do not come section by section, or no section name")
	}
	b.seen[name] = true
	b.current = name
	for _, l := range b.lanes {
		l.out.Sections = append(l.out.Sections, Section{Name: name, First: l.buffer.next})
		l.tallies = make([]*tally, l.out.groups())
		for g := range l.tallies {
			l.tallies[g] = &tally{limit: b.exact()}
		}
	}
	return nil
}

// exact is the number of subjects that an atom counts one by one; 0 where rows are
// subjects.
func (b *Builder) exact() int {
	if b.spec.RowSubjects {
		return 0
	}
	atoms := 0
	for _, l := range b.lanes {
		atoms += l.out.groups()
	}
	limit := b.spec.MaxSubjects
	if limit == 0 {
		limit = 1 << 20
	}
	return max(minExact, limit/atoms)
}

func (b *Builder) endSection(out *emitter) error {
	if b.current == "" {
		return nil
	}
	b.current = ""
	for _, l := range b.lanes {
		s := &l.out.Sections[len(l.out.Sections)-1]
		if l.buffer.dirty || l.buffer.next == s.First {
			if err := l.finish(b, out); err != nil {
				return err
			}
		}
		s.Batches = l.buffer.next - s.First
		for _, t := range l.tallies {
			s.Counts = append(s.Counts, t.count())
		}
	}
	for _, f := range b.refinements {
		f.end()
	}
	return nil
}

// finish hands on the last batch of a section, of zeros if there is no other.
func (l *lane) finish(b *Builder, out *emitter) error {
	if l.buffer.rows == nil {
		l.buffer.rows = make([]int64, l.out.Degree)
	}
	return l.buffer.flush(b, out)
}
