package file

import (
	"errors"
	"strings"

	"github.com/yumen-project/yumen/connectors"
)

// header reads the first record as column names, in any order. A stored name is
// printed only if some other column of the record bears a declared name: a first
// record that matches nothing may be data.
func (s *source) header(scan *scanner) ([]int, error) {
	scan.fields = connectors.MaxFields
	defer func() { scan.fields = len(s.opt.Fields) }()
	ok, err := scan.record()
	var f *fault
	switch {
	case errors.As(err, &f):
		if f.rule != ruleFew {
			return nil, headerFault(f)
		}
	case err != nil:
		return nil, err
	}
	if !ok && len(scan.cells) == 0 {
		return nil, &connectors.DriftError{Rule: "no header: the file is empty"}
	}
	names := make([]string, len(scan.cells))
	for i, c := range scan.cells {
		names[i] = strings.Trim(string(scan.bytes(c)), " \t")
	}
	return s.match(names)
}

func headerFault(f *fault) error {
	e := &connectors.RowError{Rule: f.rule}
	if f.limit {
		return connectors.LimitAt(e)
	}
	return e
}

// match gives for each stored column the index of its declared field.
func (s *source) match(names []string) ([]int, error) {
	at := make(map[string]int, len(s.opt.Fields))
	for i, f := range s.opt.Fields {
		at[f.Name] = i
	}
	order := make([]int, len(names))
	found := make([]bool, len(s.opt.Fields))
	matched, extra := 0, -1
	for i, name := range names {
		f, ok := at[name]
		switch {
		case !ok && extra < 0:
			extra = i
		case ok && found[f]:
			return nil, &connectors.DriftError{Field: name, Column: i + 1, Rule: "stored twice"}
		case ok:
			order[i], found[f] = f, true
			matched++
		}
	}
	if extra >= 0 {
		e := &connectors.DriftError{Column: extra + 1, Rule: "not declared"}
		if matched > 0 {
			e.Field = connectors.SafeName(names[extra])
		}
		return nil, e
	}
	for i, ok := range found {
		if !ok {
			return nil, &connectors.DriftError{Field: s.opt.Fields[i].Name, Rule: "declared but not stored"}
		}
	}
	return order, nil
}
