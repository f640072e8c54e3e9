package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/yumen-project/yumen/benchmarks/city"
)

// clearTable is a department's data in clear: whole numbers and one text column.
type clearTable struct {
	numbers map[string][]int64
	texts   map[string][]string
}

func newClearTable() *clearTable {
	return &clearTable{numbers: map[string][]int64{}, texts: map[string][]string{}}
}

const (
	maxWage  = 1<<17 - 1 // yuan a month
	maxValue = 1<<24 - 1 // yuan
	maxAge   = 130
)

// makeTables writes three registers about the same persons in the same order, one a
// department, and UCI Adult where it is at hand.
func (d *encryptedDemo) makeTables() error {
	town, err := city.New(city.Params{Persons: d.rows, Seed: 20261031})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(d.out, "sources"), 0o700); err != nil {
		return errors.New("out: not writable")
	}
	w := map[string]*sheet{}
	for name, head := range map[string]string{"wages": "rid,wage,industry", "homes": "rid,value", "residents": "rid,age,kind"} {
		if w[name], err = newSheet(filepath.Join(d.out, "sources", name+".csv"), head); err != nil {
			return err
		}
	}
	d.table = map[string]*clearTable{"wages": newClearTable(), "homes": newClearTable(), "residents": newClearTable()}
	for i := range d.rows {
		p := town.Person(i)
		wage, industry, value := int64(1800+i%400), "其他", int64(0)
		if p.Insured {
			wage, industry = min(p.WageCents/100, maxWage), p.Industry
		}
		if p.OwnsHome() {
			value = min(p.Homes[0].ValueCents/100, maxValue)
		}
		d.table["wages"].add("wage", wage).label("industry", industry)
		d.table["homes"].add("value", value)
		d.table["residents"].add("age", int64(p.Age)).label("kind", p.Kind)
		w["wages"].row(p.RID, strconv.FormatInt(wage, 10), industry)
		w["homes"].row(p.RID, strconv.FormatInt(value, 10))
		w["residents"].row(p.RID, strconv.Itoa(p.Age), p.Kind)
	}
	for _, s := range w {
		err = errors.Join(err, s.close())
	}
	if err != nil || d.adult == "" {
		return err
	}
	return d.makeAdult()
}

func (t *clearTable) add(name string, v int64) *clearTable {
	t.numbers[name] = append(t.numbers[name], v)
	return t
}

func (t *clearTable) label(name, v string) { t.texts[name] = append(t.texts[name], v) }

// groups lists a text column's values, rising.
func (t *clearTable) groups(name string) []string {
	list := slices.Clone(t.texts[name])
	slices.Sort(list)
	return slices.Compact(list)
}

// makeAdult takes age, education and two indicators of UCI Adult.
func (d *encryptedDemo) makeAdult() error {
	f, err := os.Open(d.adult)
	if err != nil {
		return usageError{errors.New("adult: file unreadable")}
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil || len(all) < 2 {
		return usageError{errors.New("adult: not the file it should be")}
	}
	at := map[string]int{}
	for i, name := range all[0] {
		at[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"age", "sex", "education", "salary-class"} {
		if _, ok := at[name]; !ok {
			return usageError{fmt.Errorf("adult: column %s missing", name)}
		}
	}
	out, err := newSheet(filepath.Join(d.out, "sources", "adult.csv"), "age,female,rich,education")
	if err != nil {
		return err
	}
	t := newClearTable()
	for i, row := range all[1:] {
		age, err := strconv.ParseInt(strings.TrimSpace(row[at["age"]]), 10, 64)
		if err != nil {
			return usageError{fmt.Errorf("adult: age in row %d", i+1)}
		}
		female, rich := indicator(row[at["sex"]] == "Female"), indicator(row[at["salary-class"]] == ">50K")
		t.add("age", age).add("female", female).add("rich", rich).label("education", row[at["education"]])
		out.row(strconv.FormatInt(age, 10), strconv.FormatInt(female, 10), strconv.FormatInt(rich, 10), row[at["education"]])
	}
	d.table["adult"] = t
	return out.close()
}

func indicator(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// sheet writes plain cells as CSV.
type sheet struct {
	f *os.File
	w *bufio.Writer
}

func newSheet(path, head string) (*sheet, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, errors.New("out: not writable")
	}
	s := &sheet{f: f, w: bufio.NewWriterSize(f, 1<<20)}
	s.row(head)
	return s, nil
}

// row keeps a failure for close.
func (s *sheet) row(cells ...string) {
	for i, c := range cells {
		if i > 0 {
			_ = s.w.WriteByte(',')
		}
		_, _ = s.w.WriteString(c)
	}
	_ = s.w.WriteByte('\n')
}

func (s *sheet) close() error { return errors.Join(s.w.Flush(), s.f.Close()) }

// specs are what each provider encrypts, as its own spec files say.
func (d *encryptedDemo) specs() map[string][]string {
	field := func(name, kind string) string { return "{name: " + name + ", type: " + kind + "}" }
	spec := func(dataset, version, subject string, lanes []string, fields ...string) string {
		return "dataset: " + dataset + "\nversion: \"" + version + "\"\nsource: {path: " + dataset + ".csv, format: csv, fields: [" + strings.Join(fields, ", ") +
			"]}\n" + subject + "\nlanes:\n  - " + strings.Join(lanes, "\n  - ") + "\n"
	}
	rid := "subject: rid"
	quoted := func(list []string) string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	out := map[string][]string{
		"renshe": {spec("wages", "2026-10", rid, []string{
			fmt.Sprintf("{name: wage, kind: value, columns: [wage], bounds: [%d]}", maxWage),
			fmt.Sprintf("{name: wage-by-industry, kind: bucketed, columns: [wage], bounds: [%d], group_by: industry, groups: %s}", maxWage, quoted(d.table["wages"].groups("industry"))),
			fmt.Sprintf("{name: wage-y, kind: reversed, columns: [wage], bounds: [%d], with: homes}", maxWage),
			fmt.Sprintf("{name: wage-y2, kind: square, columns: [wage], bounds: [%d], with: homes}", maxWage),
		}, field("rid", "string"), field("wage", "int64"), field("industry", "string"))},
		"zhujian": {spec("homes", "2026-10", rid, []string{
			fmt.Sprintf("{name: value, kind: value, columns: [value], bounds: [%d]}", maxValue),
			fmt.Sprintf("{name: value-x, kind: value, columns: [value], bounds: [%d], with: wages}", maxValue),
			fmt.Sprintf("{name: value-x2, kind: square, columns: [value], bounds: [%d], with: wages}", maxValue),
		}, field("rid", "string"), field("value", "int64"))},
		"gongan": {spec("residents", "2026-10", rid, []string{
			fmt.Sprintf("{name: age, kind: value, columns: [age], bounds: [%d]}", maxAge),
			fmt.Sprintf("{name: age2, kind: square, columns: [age], bounds: [%d]}", maxAge),
			"{name: persons-by-kind, kind: bucketed, group_by: kind, groups: " + quoted(d.table["residents"].groups("kind")) + "}",
		}, field("rid", "string"), field("age", "int64"), field("kind", "string"))},
	}
	if t := d.table["adult"]; t != nil {
		out["gongan"] = append(out["gongan"], spec("adult", "1996", "row_subjects: true", []string{
			fmt.Sprintf("{name: age, kind: value, columns: [age], bounds: [%d]}", maxAge),
			fmt.Sprintf("{name: age2, kind: square, columns: [age], bounds: [%d]}", maxAge),
			"{name: rich, kind: value, columns: [rich], bounds: [1]}", "{name: rich2, kind: square, columns: [rich], bounds: [1]}",
			fmt.Sprintf("{name: age-rich, kind: product, columns: [age, rich], bounds: [%d, 1]}", maxAge),
			fmt.Sprintf("{name: age-by-education, kind: bucketed, columns: [age], bounds: [%d], group_by: education, groups: %s}", maxAge, quoted(t.groups("education"))),
		}, field("age", "int64"), field("female", "int64"), field("rich", "int64"), field("education", "string")))
	}
	return out
}
