package plain_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"

	"github.com/yumen-project/yumen/compute"
)

// flatten writes a result as lines, so that two ways of computing compare.
func flatten(r *compute.Result) []string {
	out := []string{fmt.Sprintf("total subjects=%d universe=%d rows=%d read=%d lost=%d",
		r.Subjects, r.UniverseSubjects, r.Rows, r.UniverseRows, r.Unattributed)}
	for _, c := range r.Cells {
		line := fmt.Sprintf("%q subjects=%d records=%d", c.Keys, c.Subjects, c.Records)
		for i, v := range c.Values {
			s := c.TopShares[i]
			line += fmt.Sprintf(" [%s %s/%s by %d: %s %s %s]", v.Text, v.Numerator, v.Denominator, s.Subjects, s.Total, s.Largest, s.Second)
		}
		out = append(out, line)
	}
	return out
}

type naiveCell struct {
	keys    []string
	records int64
	by      map[string]int64               // records by subject
	sum     map[string]*big.Int            // by field
	n       map[string]int64               // by field
	abs     map[string]map[string]*big.Int // by field and subject
}

// naive interprets the query record by record.
func naive(q *compute.Query, people []person) []string {
	universe, inside := map[string]bool{}, map[string]bool{}
	cells := map[string]*naiveCell{}
	res := &compute.Result{UniverseRows: int64(len(people))}
	if len(q.GroupBy) == 0 {
		cells[""] = newNaiveCell([]string{})
	}
	for i, p := range people {
		id := fmt.Sprint("row ", i)
		if !q.RowSubjects {
			if p.rid == nil {
				res.Unattributed++
				continue
			}
			id = *p.rid
		}
		universe[id] = true
		if !p.passes(q.Filters) {
			continue
		}
		inside[id] = true
		res.Rows++
		keys := make([]string, 0)
		for _, f := range q.GroupBy {
			keys = append(keys, p.key(f))
		}
		at := fmt.Sprintf("%q", keys)
		if len(keys) == 0 {
			at = ""
		}
		if cells[at] == nil {
			cells[at] = newNaiveCell(keys)
		}
		cells[at].take(id, p)
	}
	res.Subjects, res.UniverseSubjects = int64(len(inside)), int64(len(universe))
	for _, c := range cells {
		res.Cells = append(res.Cells, c.cell(q.Measures))
	}
	sort.Slice(res.Cells, func(i, j int) bool { return slices.Compare(res.Cells[i].Keys, res.Cells[j].Keys) < 0 })
	return flatten(res)
}

func newNaiveCell(keys []string) *naiveCell {
	return &naiveCell{
		keys: keys, by: map[string]int64{}, n: map[string]int64{},
		sum: map[string]*big.Int{"n": new(big.Int), "d": new(big.Int)},
		abs: map[string]map[string]*big.Int{"n": {}, "d": {}},
	}
}

func (c *naiveCell) take(id string, p person) {
	c.records++
	c.by[id]++
	values := map[string]*big.Int{"d": p.d}
	if p.n != nil {
		values["n"] = big.NewInt(*p.n)
	}
	for f, v := range values {
		if v == nil {
			continue
		}
		c.n[f]++
		c.sum[f].Add(c.sum[f], v)
		if c.abs[f][id] == nil {
			c.abs[f][id] = new(big.Int)
		}
		c.abs[f][id].Add(c.abs[f][id], new(big.Int).Abs(v))
	}
}

func (c *naiveCell) cell(measures []compute.Measure) compute.Cell {
	out := compute.Cell{Keys: c.keys, Records: c.records, Subjects: int64(len(c.by))}
	for _, m := range measures {
		var v compute.Value
		contributions := map[string]*big.Int{}
		scale := map[string]int{"n": 0, "d": 2}[m.Field]
		switch m.Kind {
		case compute.Count:
			v.Text = fmt.Sprint(c.records)
			for id, n := range c.by {
				contributions[id] = big.NewInt(n)
			}
		case compute.Subjects:
			v.Text = fmt.Sprint(len(c.by))
			for id := range c.by {
				contributions[id] = big.NewInt(1)
			}
		default:
			contributions = c.abs[m.Field]
			unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
			sum := new(big.Rat).SetFrac(c.sum[m.Field], unit)
			v.Text = sum.FloatString(scale)
			if m.Kind == compute.Mean {
				v = compute.Value{Numerator: v.Text, Denominator: fmt.Sprint(c.n[m.Field])}
				if n := c.n[m.Field]; n > 0 {
					v.Text = halfEven(sum.Quo(sum, big.NewRat(n, 1)), 6)
				}
			}
		}
		out.Values, out.TopShares = append(out.Values, v), append(out.TopShares, naiveShare(contributions))
	}
	return out
}

func naiveShare(by map[string]*big.Int) compute.Share {
	all := []*big.Int{new(big.Int), new(big.Int)}
	total := new(big.Int)
	for _, v := range by {
		all = append(all, v)
		total.Add(total, v)
	}
	slices.SortFunc(all, func(a, b *big.Int) int { return b.Cmp(a) })
	return compute.Share{Subjects: int64(len(by)), Total: total, Largest: all[0], Second: all[1]}
}

func (p person) key(field string) string {
	text := func(s *string) string {
		if s == nil {
			return "\x00null"
		}
		if strings.HasPrefix(*s, "\x00") {
			return "\x00" + *s
		}
		return *s
	}
	switch {
	case field == "area":
		return text(p.area)
	case field == "job":
		return text(p.job)
	case field == "ok" && p.ok != nil:
		return fmt.Sprint(*p.ok)
	case field == "n" && p.n != nil:
		return fmt.Sprint(*p.n)
	case field == "d" && p.d != nil:
		return new(big.Rat).SetFrac(p.d, big.NewInt(100)).FloatString(2)
	}
	return "\x00null"
}

// passes knows the four filters that drawQuery makes.
func (p person) passes(filters []compute.Filter) bool {
	for _, f := range filters {
		var c int
		switch f.Field {
		case "n":
			if p.n == nil {
				return false
			}
			c = cmp.Compare(*p.n, 1)
		case "d":
			if p.d == nil {
				return false
			}
			c = p.d.Cmp(big.NewInt(-150))
		case "area":
			if p.area == nil {
				return false
			}
			c = cmp.Compare(*p.area, "b")
		case "job":
			if p.job == nil || !slices.Contains(f.Values, *p.job) {
				return false
			}
			continue
		}
		want := map[compute.Op]bool{"=": c == 0, "!=": c != 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}
		if !want[f.Op] {
			return false
		}
	}
	return true
}
