package disclosure

import (
	"context"
	"fmt"
	"math"
)

// Attack bounds the work of Reconstruct. Zero fields take the default.
type Attack struct {
	Linear int // steps of conjugate gradients, default 200
	Boxed  int // steps within the bounds 0 and 1, default 300
}

// Recovery is what the attack got. EVIDENCE: it never leaves as it is.
type Recovery struct {
	// Recovered is the share of units whose bit was guessed.
	Recovered float64
	// Base is the share that guessing the more frequent bit for all would get.
	Base float64
	// Ceiling is the share for one who knew the exact total of every atom: units
	// that no table tells apart get one guess.
	Ceiling float64
	// Misfit is the root mean square of what the solution leaves unexplained,
	// in weighted rows: near 0 when the attack has converged on exact figures.
	Misfit float64
}

// Reconstruct attacks the registered tables: given, for every shown figure, how
// many of its units have the secret bit, and noisy figures besides, it solves
// for the bits by least squares (conjugate gradients, Hestenes and Stiefel 1952,
// from the best constant guess; then accelerated projected gradients with
// restart, Beck and Teboulle 2009, within 0 and 1) and rounds, as in Dinur and
// Nissim 2003. No randomness: the same input gives the same result on one
// architecture. Each step reads two bytes for each table and atom, twice.
//
// It is evidence, not a proof: a better attack may exist, and correlation
// between cells and the bit lets honest statistics beat Base as well.
func (r *Registry) Reconstruct(ctx context.Context, secret []bool, noisy []Noisy, a Attack) (Recovery, error) {
	if len(secret) != r.u.Units {
		return Recovery{}, fmt.Errorf("reconstruct: %w: one secret bit for each unit is needed", ErrTable)
	}
	if a.Linear == 0 {
		a.Linear = 200
	}
	if a.Boxed == 0 {
		a.Boxed = 300
	}
	s, of, err := r.newSystem(secret, noisy)
	if err != nil {
		return Recovery{}, fmt.Errorf("reconstruct: %w", err)
	}
	prior := s.constant()
	v := make([]float64, len(s.size))
	for i := range v {
		v[i] = prior * s.root[i]
	}
	if err := s.conjugate(ctx, v, a.Linear); err != nil {
		return Recovery{}, fmt.Errorf("reconstruct: %w", err)
	}
	if err := s.boxed(ctx, v, a.Boxed); err != nil {
		return Recovery{}, fmt.Errorf("reconstruct: %w", err)
	}
	return s.score(v, prior, of, secret), nil
}

// constant is the best single share for all units, within 0 and 1.
func (s *system) constant() float64 {
	var up, down float64
	for _, e := range s.rows {
		w := e.scale * e.scale
		up += w * e.value * e.size
		down += w * e.size * e.size
	}
	if down == 0 {
		return 0.5
	}
	return min(1, max(0, up/down))
}

// residual is b - A v.
func (s *system) residual(v, out []float64) {
	s.apply(v, out)
	for i, e := range s.rows {
		out[i] = e.value*e.scale - out[i]
	}
}

// converged ends iterations whose gradient fell by this factor.
const converged = 1e-12

// conjugate runs conjugate gradients on the normal equations from v, in place.
func (s *system) conjugate(ctx context.Context, v []float64, steps int) error {
	res := make([]float64, len(s.rows))
	q := make([]float64, len(s.rows))
	g := make([]float64, len(v))
	s.residual(v, res)
	s.adjoint(res, g)
	p := append([]float64(nil), g...)
	gamma := dotFloat(g, g)
	stop := gamma * converged * converged
	for range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.apply(p, q)
		qq := dotFloat(q, q)
		if gamma <= stop || qq == 0 {
			return nil
		}
		alpha := gamma / qq
		for i := range v {
			v[i] += alpha * p[i]
		}
		for i := range res {
			res[i] -= alpha * q[i]
		}
		s.adjoint(res, g)
		next := dotFloat(g, g)
		beta := next / gamma
		gamma = next
		for i := range p {
			p[i] = g[i] + beta*p[i]
		}
	}
	return nil
}

// boxed runs accelerated projected gradients with 0 <= x <= 1 from v, in place.
func (s *system) boxed(ctx context.Context, v []float64, steps int) error {
	s.clamp(v)
	limit := s.largest()
	if limit == 0 {
		return nil
	}
	res := make([]float64, len(s.rows))
	g := make([]float64, len(v))
	y := append([]float64(nil), v...)
	last := append([]float64(nil), v...)
	momentum := 1.0
	for range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.residual(y, res)
		s.adjoint(res, g)
		for i := range v {
			v[i] = y[i] + g[i]/limit
		}
		s.clamp(v)
		against := 0.0
		for i := range v {
			against += (y[i] - v[i]) * (v[i] - last[i])
		}
		if against > 0 {
			momentum = 1
		}
		next := (1 + math.Sqrt(1+4*momentum*momentum)) / 2
		for i := range v {
			y[i] = v[i] + (momentum-1)/next*(v[i]-last[i])
		}
		copy(last, v)
		momentum = next
	}
	return nil
}

func (s *system) clamp(v []float64) {
	for i := range v {
		v[i] = min(s.root[i], max(0, v[i]))
	}
}

// largest bounds the largest eigenvalue of A'A. A row's entries are root times
// scale, so its absolute sum against root is scale times size; the bound is the
// largest weighted row sum over the rows of one unit (Schur's test, exact for a
// non-negative matrix with these test vectors).
func (s *system) largest() float64 {
	one := make([]float64, len(s.size))
	copy(one, s.root)
	row := make([]float64, len(s.rows))
	s.apply(one, row)
	col := make([]float64, len(s.size))
	s.adjoint(row, col)
	bound := 0.0
	for a, x := range col {
		bound = max(bound, x/s.root[a])
	}
	return bound
}

// undecided is how far from one half a share must be to be a guess of its own.
const undecided = 1e-6

// score rounds and counts.
func (s *system) score(v []float64, prior float64, of []uint32, secret []bool) Recovery {
	ones := make([]int, len(s.size))
	all := 0
	for u, a := range of {
		if secret[u] {
			ones[a]++
			all++
		}
	}
	right, most := 0, 0
	for a, n := range s.size {
		x := v[a] / s.root[a]
		guess := x > 0.5
		if math.Abs(x-0.5) < undecided {
			guess = prior > 0.5
		}
		if guess {
			right += ones[a]
		} else {
			right += n - ones[a]
		}
		most += max(ones[a], n-ones[a])
	}
	res := make([]float64, len(s.rows))
	s.residual(v, res)
	units := float64(len(of))
	return Recovery{
		Recovered: float64(right) / units, Base: float64(max(all, len(of)-all)) / units,
		Ceiling: float64(most) / units,
		Misfit:  math.Sqrt(dotFloat(res, res) / float64(max(1, len(res)))),
	}
}

func dotFloat(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
