package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/yumen-project/yumen/benchmarks/city"
)

// record is one row of a register as the attacker knows it: everything but the secret.
type record struct {
	owner int
	key   func(field string) string
	area  int64
	birth string
}

// shown is one figure: the records that it counts, and the count.
type shown struct {
	name    string
	records map[int]bool
	count   float64
}

func (c *campaign) people() []record {
	out := make([]record, len(c.w.people))
	for i := range c.w.people {
		p := &c.w.people[i]
		out[i] = record{owner: i, birth: p.Birth.Format("2006-01-02"), key: func(field string) string {
			switch field {
			case "sex":
				return p.Sex
			case "district":
				return p.District
			case "kind":
				return p.Kind
			}
			return p.Birth.Format("2006-01-02")
		}}
	}
	return out
}

func (c *campaign) homes() []record {
	var out []record
	for i := range c.w.people {
		for _, h := range c.w.people[i].Homes {
			out = append(out, record{owner: i, area: h.AreaCenti, key: func(string) string { return h.District }})
		}
	}
	return out
}

// released asks an exact table and gives its shown counts over the attacker's records, the totals of
// whole tables and of every leading key, where nothing in them is withheld.
func (c *campaign) released(ctx context.Context, unit, id string, from []record, fits func(*record) bool) ([]shown, string, error) {
	t, rule, err := c.g.table(ctx, unit, "open", id)
	if err != nil || rule != "" {
		return nil, rule, err
	}
	at := slices.Index(t.GetMeasures(), "count")
	if at < 0 {
		return nil, "", fmt.Errorf("table %s shows no count", id)
	}
	var out []shown
	sums, hidden, inside := map[string]*shown{}, map[string]bool{}, members(t.GetGroupBy(), from, fits)
	for _, cell := range t.GetCells() {
		keys := strings.Join(cell.GetKeys(), "/")
		whole := shown{name: id + "/" + keys, records: inside[keys]}
		if !cell.GetWithheld() {
			if whole.count, err = strconv.ParseFloat(cell.GetValues()[at], 64); err != nil {
				return nil, "", err
			}
			out = append(out, whole)
		}
		for depth := range cell.GetKeys() {
			name := id + "/" + strings.Join(cell.GetKeys()[:depth], "/") + "/*"
			if sums[name] == nil {
				sums[name] = &shown{name: name, records: map[int]bool{}}
			}
			hidden[name] = hidden[name] || cell.GetWithheld()
			sums[name].count += whole.count
			for r := range whole.records {
				sums[name].records[r] = true
			}
		}
	}
	for name, s := range sums {
		if !hidden[name] {
			out = append(out, *s)
		}
	}
	return out, "", nil
}

// members sorts the attacker's records into the cells of a table, by their keys.
func members(groupBy []string, from []record, fits func(*record) bool) map[string]map[int]bool {
	out := map[string]map[int]bool{}
	for i := range from {
		if fits != nil && !fits(&from[i]) {
			continue
		}
		keys := make([]string, len(groupBy))
		for k, field := range groupBy {
			keys[k] = from[i].key(field)
		}
		name := strings.Join(keys, "/")
		if out[name] == nil {
			out[name] = map[int]bool{}
		}
		out[name][i] = true
	}
	return out
}

// isolated counts groups of 1 to 9 subjects whose figure follows from one figure, or from the difference
// of two where one contains the other.
func isolated(figures []shown, from []record) (small int, smallest int, example string) {
	smallest = len(from)
	for i := range figures {
		for j := range figures {
			if len(figures[i].records) > len(figures[j].records) || i == j {
				continue
			}
			owners, inside := map[int]bool{}, true
			for r := range figures[i].records {
				inside = inside && figures[j].records[r]
			}
			if !inside {
				continue
			}
			for r := range figures[j].records {
				if !figures[i].records[r] {
					owners[from[r].owner] = true
				}
			}
			if n := len(owners); n > 0 && n < smallest {
				smallest, example = n, figures[j].name+" - "+figures[i].name
			}
			if n := len(owners); n > 0 && n < 10 {
				small++
			}
		}
	}
	return small, smallest, example
}

// asked is one registered exact table and the records it is about.
type asked struct {
	id   string
	from []record
	fits func(*record) bool
}

// tables: two units pool all registered exact tables of a dataset: cells, totals, complements as totals
// minus cells (trackers), differences of overlapping filters; then least squares on all of it.
func (c *campaign) tables(ctx context.Context) error {
	homes, people := c.homes(), c.people()
	if err := c.difference(ctx, "housing", homes, []asked{
		{"homes-by-district", homes, nil}, {"large-homes", homes, func(r *record) bool { return r.area >= 18000 }},
	}); err != nil {
		return err
	}
	tables := []asked{{"by-sex", people, nil}, {"by-district-sex", people, nil}, {"by-kind-sex", people, nil}, {"by-birth-sex", people, nil}}
	if err := c.difference(ctx, "household", people, tables); err != nil {
		return err
	}
	return c.leastSquares(ctx, "household", people, tables)
}

func (c *campaign) difference(ctx context.Context, dataset string, from []record, tables []asked) error {
	figures, refused, err := c.pool(ctx, tables)
	if err != nil {
		return err
	}
	small, smallest, example := isolated(figures, from)
	c.r.found("differencing-and-trackers "+dataset, float64(small), 0,
		"groups under 10 subjects isolated by %d pooled figures of %d tables (%d refused); smallest difference %d subjects: %s", len(figures), len(tables), refused, smallest, example)
	return nil
}

func (c *campaign) pool(ctx context.Context, tables []asked) (figures []shown, refused int, err error) {
	for i, t := range tables {
		got, rule, err := c.released(ctx, []string{"bank", "leju"}[i%2], t.id, t.from, t.fits)
		if err != nil {
			return nil, 0, err
		}
		if rule != "" {
			refused++
		}
		figures = append(figures, got...)
	}
	return figures, refused, nil
}

// leastSquares recovers each person's sex from all counts by sex that were shown. The attacker knows
// everything else, so he knows which persons a count is about.
func (c *campaign) leastSquares(ctx context.Context, dataset string, people []record, tables []asked) error {
	figures, _, err := c.pool(ctx, tables)
	if err != nil {
		return err
	}
	var rows []equation
	for _, f := range figures {
		if e, ok := aboutMen(f, people, tables); ok {
			rows = append(rows, e)
		}
	}
	guess := solve(rows, len(people))
	right, men := 0, 0
	for i := range people {
		man := people[i].key("sex") == city.Man
		if man {
			men++
		}
		if man == (guess[i] > 0.5) {
			right++
		}
	}
	n := float64(len(people))
	c.r.found("least-squares "+dataset, float64(right)/n, 0.6, "share of secret bits recovered by %d equations over %d persons; the base rate is %.4f", len(rows), len(people), float64(max(men, len(people)-men))/n)
	return nil
}

// equation says that so many of these persons are men.
type equation struct {
	persons []int
	men     float64
}

// aboutMen turns a shown cell of men into an equation over all whom its other keys fit: what the attacker
// can know without the secret.
func aboutMen(f shown, people []record, tables []asked) (equation, bool) {
	parts := strings.Split(f.name, "/")
	if parts[len(parts)-1] != city.Man {
		return equation{}, false
	}
	e := equation{men: f.count}
	var fits func(*record) bool
	for _, t := range tables {
		if t.id == parts[0] {
			fits = t.fits
		}
	}
	for i := range people {
		in := fits == nil || fits(&people[i])
		for _, key := range parts[1 : len(parts)-1] {
			in = in && (people[i].key("district") == key || people[i].key("kind") == key || people[i].birth == key)
		}
		if in {
			e.persons = append(e.persons, i)
		}
	}
	return e, true
}

// solve minimises the squared misfit within 0 and 1 by cyclic projection onto each equation.
func solve(rows []equation, persons int) []float64 {
	x := make([]float64, persons)
	for i := range x {
		x[i] = 0.5
	}
	for range 500 {
		for _, e := range rows {
			if len(e.persons) == 0 {
				continue
			}
			miss := e.men
			for _, i := range e.persons {
				miss -= x[i]
			}
			for _, i := range e.persons {
				x[i] = min(1, max(0, x[i]+miss/float64(len(e.persons))))
			}
		}
	}
	return x
}
