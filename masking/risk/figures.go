package risk

import (
	"errors"
	"fmt"
	"math"
)

// Options say what to measure.
type Options struct {
	Quasi      []string          // the quasi-identifiers
	Sensitive  []SensitiveColumn // columns a class may betray
	Threshold  float64           // a record is at risk above this probability; 0 is 0.2, classes below five
	Population int64             // persons the table was drawn from, for the estimate; 0 leaves it out
}

// SensitiveColumn is a column a class may betray; with a hierarchy the
// hierarchical distance is measured too.
type SensitiveColumn struct {
	Column    string
	Hierarchy *Hierarchy
}

// Figures are what is measured on one table. They hold counts, shares and
// names of columns, and never a value. JSON names are stable.
type Figures struct {
	Rows           int64               `json:"rows"`
	Classes        int64               `json:"classes"`
	K              int64               `json:"k"`
	Uniques        int64               `json:"uniques"`      // records alone in their class
	UniqueShare    float64             `json:"unique_share"` // sample uniqueness
	AverageClass   float64             `json:"average_class"`
	Discernibility float64             `json:"discernibility"`
	Attack         Attack              `json:"attack"`
	Population     *PopulationEstimate `json:"population,omitempty"`
	Presence       *PresenceFigures    `json:"presence,omitempty"`
	Sensitive      []SensitiveFigures  `json:"sensitive,omitempty"`
	Histogram      []Bin               `json:"histogram"`
}

// SensitiveFigures are the worst class's, for one column.
type SensitiveFigures struct {
	Column        string   `json:"column"`
	Distinct      int64    `json:"distinct_l"`
	Entropy       float64  `json:"entropy_l"`                // 2 to the least entropy in bits: the greatest l that holds
	RecursiveC    *float64 `json:"recursive_c2,omitempty"`   // (c,2) holds for every greater c; absent where no c does
	EqualT        float64  `json:"equal_t"`                  // t-closeness by the equal distance
	OrderedT      *float64 `json:"ordered_t,omitempty"`      // where the values have an order
	HierarchicalT *float64 `json:"hierarchical_t,omitempty"` // where a hierarchy is given
}

// PresenceFigures are delta-presence: see Presence.
type PresenceFigures struct {
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// Against takes the attackers' risks and delta-presence from the join with a
// population: see Classes.Against. The threshold stays.
func (f *Figures) Against(pairs []Pair) {
	f.Attack = AttackFrom(pairs, f.Attack.Threshold)
	least, most := Presence(pairs)
	f.Presence = &PresenceFigures{Least: least, Most: most}
}

// Figures measures the table.
func (t *Table) Figures(o Options) (*Figures, error) {
	cols, err := t.want(o.Quasi)
	if err != nil {
		return nil, fmt.Errorf("measure risk: %w", err)
	}
	if !(o.Threshold >= 0 && o.Threshold <= 1) {
		return nil, errors.New("measure risk: want a threshold from 0 to 1")
	}
	if o.Threshold == 0 {
		o.Threshold = 0.2
	}
	class, n := t.classes(cols)
	counts := make([]int64, n)
	for _, id := range class {
		counts[id]++
	}
	s := sizesOf(counts)
	f := &Figures{Rows: s.Records(), Classes: s.Classes(), K: s.K(), Uniques: s.count(1),
		Discernibility: s.Discernibility(), Attack: s.Attack(o.Threshold), Histogram: s.Bins()}
	if f.Rows > 0 {
		f.UniqueShare = float64(f.Uniques) / float64(f.Rows)
		f.AverageClass = float64(f.Rows) / float64(f.Classes)
	}
	if o.Population > 0 && f.Rows > 0 {
		if f.Population, err = s.Zayatz(o.Population); err != nil {
			return nil, fmt.Errorf("measure risk: %w", err)
		}
	}
	for _, c := range o.Sensitive {
		sf, err := t.sensitive(c, class, counts)
		if err != nil {
			return nil, fmt.Errorf("measure risk: column %q: %w", c.Column, err)
		}
		f.Sensitive = append(f.Sensitive, *sf)
	}
	return f, nil
}

// classes numbers the records' classes over columns.
func (t *Table) classes(cols []*coded) (class []uint32, n int) {
	class, n = make([]uint32, t.rows), min(1, t.rows)
	for _, c := range cols {
		ids := make(map[uint64]uint32)
		for row, code := range c.codes {
			key := uint64(class[row])<<32 | uint64(code)
			id, ok := ids[key]
			if !ok {
				id = uint32(len(ids))
				ids[key] = id
			}
			class[row] = id
		}
		n = len(ids)
	}
	return class, n
}

// sensitive measures one column: the records sorted by class, each class's
// values counted once.
func (t *Table) sensitive(s SensitiveColumn, class []uint32, counts []int64) (*SensitiveFigures, error) {
	c := t.column(s.Column)
	if c == nil {
		return nil, errors.New("not in the table")
	}
	worst, err := newWorst(s, c)
	if err != nil {
		return nil, err
	}
	start := make([]int64, len(counts)+1)
	for id, n := range counts {
		start[id+1] = start[id] + n
	}
	codes := make([]uint32, t.rows)
	next := append([]int64(nil), start...)
	for row, id := range class {
		codes[next[id]] = c.codes[row]
		next[id]++
	}
	for id := range counts {
		worst.class(codes[start[id]:start[id+1]])
	}
	return worst.figures(), nil
}

// worst keeps the worst of all classes.
type worst struct {
	judge
	f       SensitiveFigures
	some    bool
	entropy float64
	ordered float64
	tree    float64
	c       float64
}

func newWorst(s SensitiveColumn, c *coded) (*worst, error) {
	w := &worst{f: SensitiveFigures{Column: s.Column}}
	j, err := newJudge(&Sensitive{Column: s.Column}, c)
	if err != nil {
		return nil, err
	}
	w.judge = *j
	if len(c.order) > 0 && len(c.order) == len(c.labels) {
		w.order = c.order
	}
	if s.Hierarchy != nil {
		if w.judge.tree, err = newTree(s.Hierarchy, c); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *worst) class(codes []uint32) {
	w.met = w.met[:0]
	for _, code := range codes {
		if w.count[code] == 0 {
			w.met = append(w.met, code)
		}
		w.count[code]++
	}
	size := int64(len(codes))
	if l := int64(len(w.met)); !w.some || l < w.f.Distinct {
		w.f.Distinct = l
	}
	if e := w.judge.entropy(size); !w.some || e < w.entropy {
		w.entropy = e
	}
	w.some = true
	w.c = max(w.c, w.leastC())
	w.f.EqualT = max(w.f.EqualT, w.equal(size))
	if w.order != nil {
		w.ordered = max(w.ordered, w.judge.ordered(size))
	}
	if w.judge.tree != nil {
		w.tree = max(w.tree, w.judge.tree.distance(&w.judge, size))
	}
	for _, code := range w.met {
		w.count[code] = 0
	}
}

// leastC is r1 / (r2 + ... + rm): (c,2)-diversity holds above it.
func (w *worst) leastC() float64 {
	var top, all int64
	for _, code := range w.met {
		top = max(top, w.count[code])
		all += w.count[code]
	}
	return float64(top) / float64(all-top)
}

func (w *worst) figures() *SensitiveFigures {
	if !w.some {
		return &w.f
	}
	w.f.Entropy = math.Exp2(w.entropy)
	if !math.IsInf(w.c, 1) {
		w.f.RecursiveC = &w.c
	}
	if w.order != nil {
		w.f.OrderedT = &w.ordered
	}
	if w.judge.tree != nil {
		w.f.HierarchicalT = &w.tree
	}
	return &w.f
}
