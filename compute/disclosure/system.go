package disclosure

import (
	"context"
	"fmt"
	"math"
)

// system is the linear equations of an attacker: figures = M x, with x the share
// of units of each atom whose secret bit is set. Columns are scaled by the root
// of the atom's size and rows by the root of their weight, so that least squares
// over atoms are least squares over units.
type system struct {
	size   []int
	root   []float64 // of size
	tables []record  // rows numbered over all of them
	rows   []equation
	byRow  []float64 // working space
}

type equation struct {
	value  float64 // told
	size   float64 // units
	spread float64 // standard deviation of the noise
	scale  float64 // root of the weight
}

// Noisy is a table whose figures were told with noise. Values are the told
// counts of units with the secret bit, one a cell; those of withheld cells are
// not read, nor is Table.Total. Spread is the standard deviation of the noise.
type Noisy struct {
	Table  *Table
	Values []float64
	Spread float64
}

// newSystem writes the equations of all registered figures and the noisy ones.
// It returns the units' atoms, too.
func (r *Registry) newSystem(secret []bool, noisy []Noisy) (*system, []uint32, error) {
	s := &system{tables: append([]record(nil), r.tables...)}
	of, atoms := r.of, len(r.atoms)
	for i := range r.rows {
		s.rows = append(s.rows, equation{size: float64(r.rows[i].size)})
	}
	for i := range noisy {
		next, parent, err := r.refineNoisy(&noisy[i], of, atoms, s)
		if err != nil {
			return nil, nil, fmt.Errorf("noisy table %d: %w", i+1, err)
		}
		of, atoms = next, len(parent)
	}
	s.size = make([]int, atoms)
	for _, a := range of {
		s.size[a]++
	}
	s.root = make([]float64, atoms)
	for a, n := range s.size {
		s.root[a] = math.Sqrt(float64(n))
	}
	ones := make([]float64, atoms)
	for u, a := range of {
		if secret[u] {
			ones[a]++
		}
	}
	s.finish(len(r.rows), ones)
	return s, of, nil
}

// refineNoisy adds one noisy table and splits the atoms by it.
func (r *Registry) refineNoisy(n *Noisy, of []uint32, atoms int, s *system) (next, parent []uint32, err error) {
	lay, err := n.Table.layout(r.u.Units, r.u.Limits.Cells)
	if err != nil {
		return nil, nil, err
	}
	if len(n.Values) != len(n.Table.Shown) || !(n.Spread >= 0) || math.IsInf(n.Spread, 0) {
		return nil, nil, fmt.Errorf("%w: one value a cell and a finite spread are needed", ErrTable)
	}
	next, parent, err = refine(of, atoms, lay.class, r.u.Limits.Atoms)
	if err != nil {
		return nil, nil, err
	}
	for i := range s.tables {
		class := s.tables[i].class
		s.tables[i].class = make([]uint16, len(parent))
		for a, p := range parent {
			s.tables[i].class[a] = class[p]
		}
	}
	rec := record{class: make([]uint16, len(parent)), rows: make([][]int, len(lay.sets)), first: len(s.rows)}
	place := make([]int, len(n.Values))
	for c, on := range n.Table.Shown {
		if !on {
			continue
		}
		if v := n.Values[c]; math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, fmt.Errorf("%w: value of cell %d is not finite", ErrTable, c)
		}
		place[c] = len(s.rows)
		s.rows = append(s.rows, equation{value: n.Values[c], spread: n.Spread})
		rec.shown++
	}
	for c, set := range lay.sets {
		for _, cell := range set {
			if n.Table.Shown[cell] {
				rec.rows[c] = append(rec.rows[c], place[cell])
			}
		}
	}
	for u, a := range next {
		c := lay.class[u]
		rec.class[a] = uint16(c)
		for _, j := range rec.rows[c] {
			s.rows[j].size++
		}
	}
	s.tables = append(s.tables, rec)
	return next, parent, nil
}

// finish fills in the exact figures, the first ones, and weighs all rows: by
// size, as the variance of a count, and by noise.
func (s *system) finish(exact int, ones []float64) {
	s.byRow = make([]float64, len(s.rows))
	told := make([]float64, len(s.rows))
	s.sums(ones, told)
	for i := range s.rows {
		e := &s.rows[i]
		if i < exact {
			e.value = told[i]
		}
		e.scale = 1 / math.Sqrt(max(1, e.size+4*e.spread*e.spread))
	}
}

// sums adds x over the units of each row. Tables run side by side; each row is
// summed in one order, so the result does not depend on the machine's cores.
func (s *system) sums(x, out []float64) {
	each(len(s.tables), func(i int) {
		tab := &s.tables[i]
		byClass := make([]float64, len(tab.rows))
		for a, c := range tab.class {
			byClass[c] += x[a]
		}
		for j := range tab.shown {
			out[tab.first+j] = 0
		}
		for c, rows := range tab.rows {
			for _, j := range rows {
				out[j] += byClass[c]
			}
		}
	})
}

// apply computes out = A v.
func (s *system) apply(v, out []float64) {
	x := make([]float64, len(v))
	for a := range v {
		x[a] = v[a] * s.root[a]
	}
	s.sums(x, out)
	for i := range out {
		out[i] *= s.rows[i].scale
	}
}

// stripe is how many atoms one piece of adjoint's work covers.
const stripe = 4096

// adjoint computes out = A' r.
func (s *system) adjoint(r, out []float64) {
	for i := range r {
		s.byRow[i] = r[i] * s.rows[i].scale
	}
	clear(out)
	byClass := make([][]float64, len(s.tables))
	for i := range s.tables {
		byClass[i] = make([]float64, len(s.tables[i].rows))
		for c, rows := range s.tables[i].rows {
			for _, j := range rows {
				byClass[i][c] += s.byRow[j]
			}
		}
	}
	each((len(out)+stripe-1)/stripe, func(k int) {
		from, to := k*stripe, min(len(out), (k+1)*stripe)
		part := out[from:to]
		for i := range s.tables {
			sum := byClass[i]
			for a, c := range s.tables[i].class[from:to] {
				part[a] += sum[c]
			}
		}
		for a := range part {
			part[a] *= s.root[from+a]
		}
	})
}

// each is parallel without an end before the end.
func each(n int, work func(i int)) {
	_ = parallel(context.Background(), 0, n, work)
}
