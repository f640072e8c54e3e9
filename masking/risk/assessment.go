package risk

import "fmt"

// Assessment is the report of a masking's risk: figures before and after, the
// recoding if it was one, and what it cost. It holds no value of any cell.
// JSON names are stable.
type Assessment struct {
	Quasi      []string      `json:"quasi"`
	Before     *Figures      `json:"before,omitempty"`
	After      *Figures      `json:"after,omitempty"`
	Suppressed int64         `json:"suppressed"` // records of before that after lacks
	Recoding   *Recoding     `json:"recoding,omitempty"`
	Utility    *Utility      `json:"utility,omitempty"`
	Local      *LocalFigures `json:"local,omitempty"`
}

// LocalFigures are what a local recoding cost.
type LocalFigures struct {
	Groups int     `json:"groups"`
	Loss   float64 `json:"loss"` // see Local.Loss
}

// Utility is what a recoding cost: see Measure. Columns are in the order of the
// recoding's levels.
type Utility struct {
	Loss               float64   `json:"loss"`
	Entropy            float64   `json:"entropy"`
	Precision          float64   `json:"precision"`   // 1 - Height
	Granularity        []float64 `json:"granularity"` // by column: 1 - its own loss; 1 is as it was
	Discernibility     float64   `json:"discernibility"`
	DiscernibilityStar float64   `json:"discernibility_star"`
	AverageClass       float64   `json:"average_class"`
}

// Assess measures a table before and after masking. Before and after hold the
// columns of the options under the same names.
func Assess(before, after *Table, o Options) (*Assessment, error) {
	a := &Assessment{Quasi: o.Quasi, Suppressed: int64(before.rows) - int64(after.rows)}
	if a.Suppressed < 0 {
		return nil, fmt.Errorf("assess: %d records more after than before", -a.Suppressed)
	}
	var err error
	if a.Before, err = before.Figures(o); err != nil {
		return nil, fmt.Errorf("assess before: %w", err)
	}
	if a.After, err = after.Figures(o); err != nil {
		return nil, fmt.Errorf("assess after: %w", err)
	}
	return a, nil
}

// Assess measures the recoding on its table: quasi-identifiers are its columns.
func (r *Recoding) Assess(o Options) (*Assessment, error) {
	o.Quasi = nil
	for _, l := range r.Levels {
		o.Quasi = append(o.Quasi, l.Column)
	}
	after, _ := r.Apply()
	a, err := Assess(r.t, after, o)
	if err != nil {
		return nil, err
	}
	a.Recoding, a.Utility = r, r.Utility()
	return a, nil
}

// Assess measures the local recoding on its table: quasi-identifiers are its
// columns.
func (l *Local) Assess(o Options) (*Assessment, error) {
	o.Quasi = l.Columns
	a, err := Assess(l.t, l.Apply(), o)
	if err != nil {
		return nil, err
	}
	a.Local = &LocalFigures{Groups: l.Groups(), Loss: l.Loss()}
	return a, nil
}

// Utility measures what the recoding cost.
func (r *Recoding) Utility() *Utility {
	u := &Utility{Loss: r.cells(Loss), Entropy: r.cells(Entropy), Precision: 1 - r.cells(Height)}
	for i := range r.cols {
		u.Granularity = append(u.Granularity, 1-r.cell(Loss, i))
	}
	counts := make([]int64, len(r.keep))
	for _, id := range r.class {
		counts[id]++
	}
	stay := 0
	for id, n := range counts {
		u.DiscernibilityStar += float64(n) * float64(n)
		if r.keep[id] {
			stay++
			u.Discernibility += float64(n) * float64(n)
		} else {
			u.Discernibility += float64(n) * float64(r.Rows)
		}
	}
	if r.Suppressed > 0 {
		stay++
	}
	u.AverageClass = ratio(int64(r.Rows), stay)
	return u
}

// cells is a measure by cells over all columns.
func (r *Recoding) cells(m Measure) float64 {
	return r.measured(m, r.cols, r.Levels)
}

// cell is a measure of one column by itself.
func (r *Recoding) cell(m Measure, i int) float64 {
	return r.measured(m, r.cols[i:i+1], r.Levels[i:i+1])
}

func (r *Recoding) measured(m Measure, cols []*bound, levels []Level) float64 {
	c := newCost(m, &lattice{cols: cols}, r.Rows)
	var v float64
	for i, b := range cols {
		level := levels[i].Level
		sum := c.kept[i][level]
		for row, code := range b.col.codes {
			if !r.Keep(row) {
				sum += c.extra[i][level][code]
			}
		}
		v += c.weight[i] * float64(sum)
	}
	return v
}
