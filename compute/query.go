package compute

import (
	"fmt"
	"unicode/utf8"
)

// Bounds of a query. They keep a plan's cost independent of the asker's zeal.
const (
	MaxGroupBy  = 4
	MaxMeasures = 16
	MaxFilters  = 32
	MaxValues   = 10_000 // literals of one "in"
	maxName     = 256    // bytes of a field or data set name
	maxLiteral  = 4096   // bytes of one filter literal
)

// Op compares a field with a literal. The comparison is typed by the field:
// numbers by value, dates and timestamps by instant, text by UTF-8 bytes (which
// is code point order), booleans only by "=", "!=" and "in".
type Op string

// The operators of a filter.
const (
	Eq Op = "="
	Ne Op = "!="
	Lt Op = "<"
	Le Op = "<="
	Gt Op = ">"
	Ge Op = ">="
	In Op = "in"
)

// Filter keeps the records whose Field compares so. Value is the literal of
// every operator but "in", which has Values. Filters of a query are all to hold.
type Filter struct {
	Field  string
	Op     Op
	Value  string
	Values []string
}

// MeasureKind names a figure of a cell.
type MeasureKind string

// The measures: Count counts records, Subjects distinct subjects; Sum and Mean
// run over the non-null values of a field.
const (
	Count    MeasureKind = "count"
	Subjects MeasureKind = "subjects"
	Sum      MeasureKind = "sum"
	Mean     MeasureKind = "mean"
)

// Measure is one figure; Field is empty for count and subjects.
type Measure struct {
	Kind  MeasureKind
	Field string
}

// Query is one table over one data set. A literal: unchecked until Validate.
type Query struct {
	Dataset string
	// Subject names the column that identifies the privacy unit.
	Subject string
	// RowSubjects says that every record is a subject of its own (a data set
	// registered with its row number as subject). Subject is then empty.
	RowSubjects bool
	Filters     []Filter
	GroupBy     []string // at most MaxGroupBy, distinct, in the order of the keys
	Measures    []Measure
}

// Validate checks the form of the query, without a schema. Errors wrap ErrQuery
// and name the position and the rule, never a literal.
func (q *Query) Validate() error {
	if q == nil {
		return fmt.Errorf("check query: %w: no query", ErrQuery)
	}
	for _, check := range []func() error{q.checkHead, q.checkFilters, q.checkGroups, q.checkMeasures} {
		if err := check(); err != nil {
			return fmt.Errorf("check query: %w", err)
		}
	}
	return nil
}

func (q *Query) checkHead() error {
	if err := checkName("data set", q.Dataset); err != nil {
		return err
	}
	if q.RowSubjects {
		if q.Subject != "" {
			return fmt.Errorf("%w: subject: a column and row subjects exclude each other", ErrQuery)
		}
		return nil
	}
	return checkName("subject", q.Subject)
}

func (q *Query) checkFilters() error {
	if len(q.Filters) > MaxFilters {
		return fmt.Errorf("%w: filters: more than %d", ErrQuery, MaxFilters)
	}
	for i := range q.Filters {
		f := &q.Filters[i]
		where := fmt.Sprintf("filter %d", i+1)
		if err := q.checkField(where, f.Field); err != nil {
			return err
		}
		if err := f.checkLiterals(where); err != nil {
			return err
		}
	}
	return nil
}

func (f *Filter) checkLiterals(where string) error {
	switch f.Op {
	case Eq, Ne, Lt, Le, Gt, Ge:
		if len(f.Values) != 0 {
			return fmt.Errorf("%w: %s: a list of values goes with \"in\" only", ErrQuery, where)
		}
		return checkLiteral(where, f.Value)
	case In:
	default:
		return fmt.Errorf("%w: %s: unknown operator", ErrQuery, where)
	}
	if f.Value != "" {
		return fmt.Errorf("%w: %s: \"in\" takes a list of values, not a value", ErrQuery, where)
	}
	if len(f.Values) == 0 || len(f.Values) > MaxValues {
		return fmt.Errorf("%w: %s: \"in\" takes 1 to %d values", ErrQuery, where, MaxValues)
	}
	for _, v := range f.Values {
		if err := checkLiteral(where, v); err != nil {
			return err
		}
	}
	return nil
}

func (q *Query) checkGroups() error {
	if len(q.GroupBy) > MaxGroupBy {
		return fmt.Errorf("%w: group by: more than %d fields", ErrQuery, MaxGroupBy)
	}
	for i, name := range q.GroupBy {
		where := fmt.Sprintf("group by %d", i+1)
		if err := q.checkField(where, name); err != nil {
			return err
		}
		for _, other := range q.GroupBy[:i] {
			if other == name {
				return fmt.Errorf("%w: %s: field named twice", ErrQuery, where)
			}
		}
	}
	return nil
}

func (q *Query) checkMeasures() error {
	if len(q.Measures) == 0 || len(q.Measures) > MaxMeasures {
		return fmt.Errorf("%w: measures: 1 to %d needed", ErrQuery, MaxMeasures)
	}
	for i, m := range q.Measures {
		where := fmt.Sprintf("measure %d", i+1)
		switch m.Kind {
		case Count, Subjects:
			if m.Field != "" {
				return fmt.Errorf("%w: %s: count and subjects take no field", ErrQuery, where)
			}
		case Sum, Mean:
			if err := q.checkField(where, m.Field); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: %s: unknown kind", ErrQuery, where)
		}
		for _, other := range q.Measures[:i] {
			if other == m {
				return fmt.Errorf("%w: %s: measure asked twice", ErrQuery, where)
			}
		}
	}
	return nil
}

// checkField refuses the subject column: a table that filters, groups or sums
// by it is about persons, not about groups.
func (q *Query) checkField(where, name string) error {
	if err := checkName(where, name); err != nil {
		return err
	}
	if !q.RowSubjects && name == q.Subject {
		return fmt.Errorf("%w: %s: the subject column has no place in a table", ErrQuery, where)
	}
	return nil
}

func checkName(where, name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %s: a name of 1 to %d bytes of UTF-8 is needed", ErrQuery, where, maxName)
	}
	return nil
}

func checkLiteral(where, v string) error {
	if len(v) > maxLiteral || !utf8.ValidString(v) {
		return fmt.Errorf("%w: %s: a literal is at most %d bytes of UTF-8", ErrQuery, where, maxLiteral)
	}
	return nil
}
