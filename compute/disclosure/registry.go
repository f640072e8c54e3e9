package disclosure

import (
	"context"
	"fmt"
	"io"
)

// Universe is what a registry is about. A literal, checked by New.
type Universe struct {
	// Units are what tables put into cells, numbered from 0: the distinct subjects
	// of one data set version, or its records.
	Units int
	// Owners gives the subject of each unit, below Units; nil if each unit is a
	// subject of its own. Small groups are counted in subjects. New keeps the slice.
	Owners []uint32
	// Least is the smallest number of subjects about whom something may be told.
	Least int
	// KnownTotal says that figures over all units are known besides the tables.
	// Set it unless nobody can know them.
	KnownTotal bool
	Limits     Limits
}

// Limits bound memory and time. Zero fields take the default.
type Limits struct {
	Atoms  int // default 1<<18; two bytes for each table and atom
	Rank   int // default 8192; four times its square in bytes
	Cells  int // of one table; default 4096
	Tables int // default 4096
	// Triples bounds the pairs of small atoms that are looked at in search of a
	// third; default 1<<26, some seconds a judgement at most.
	Triples int
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		v *int
		d int
	}{{&l.Atoms, 1 << 18}, {&l.Rank, 8192}, {&l.Cells, 4096}, {&l.Tables, 4096}, {&l.Triples, 1 << 26}} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
	return l
}

// Registry is what all registered tables of one data set version tell together.
// It is not safe for concurrent use. It holds the membership of every unit: raw
// data, which never leaves.
type Registry struct {
	u       Universe
	most    int // units of one subject
	f       field
	random  io.Reader
	workers int
	epoch   int
	of      []uint32 // unit -> atom
	atoms   []atom
	tables  []record
	rows    []row
	q       factor
}

// atom is a set of units that no registered table tells apart. Its random
// numbers are sums of uniform ones over its units: d weighs the Gram matrix, z
// are two vectors to be projected on the kernel.
type atom struct {
	size int
	who  []uint32 // up to Least of its subjects; nil if units are subjects
	d    uint64
	z    [draws]uint64
}

// draws is the number of random kernel vectors: enough to tell three atoms with
// a dependency from three without.
const draws = 3

// record is one registered table by atoms.
type record struct {
	class []uint16 // by atom
	rows  [][]int  // by class: the shown rows it is in, as indices of Registry.rows
	first int      // its rows are first to first+shown-1
	shown int
}

// row is one shown figure: a cell, or the total of a table.
type row struct {
	pivot int // place in the factor, or -1 when earlier rows imply it
	size  int // units
}

// New starts with no table. random feeds the prime and the secret weights; it
// must be unpredictable to who designs tables (crypto/rand), and is read again
// by Try. A seeded stream makes the whole registry deterministic.
func New(u Universe, random io.Reader) (*Registry, error) {
	u.Limits = u.Limits.orDefault()
	l := u.Limits
	switch {
	case u.Units < 1 || u.Units >= 1<<31:
		return nil, fmt.Errorf("new registry: %w: units: 1 to 2^31-1 needed", ErrTable)
	case l.Atoms < 1 || l.Rank < 1 || l.Cells < 1 || l.Cells >= maxClasses || l.Tables < 1 || l.Triples < 0:
		return nil, fmt.Errorf("new registry: %w: limits: out of range", ErrTable)
	}
	subjects, most, ok := u.ownership()
	if !ok {
		return nil, fmt.Errorf("new registry: %w: owners: one below the number of units for each unit needed", ErrTable)
	}
	if u.Least < 1 || u.Least > subjects {
		return nil, fmt.Errorf("new registry: %w: least: 1 to the number of subjects needed", ErrTable)
	}
	f, err := drawField(random)
	if err != nil {
		return nil, fmt.Errorf("new registry: %w", err)
	}
	r := &Registry{u: u, most: most, f: f, random: random, of: make([]uint32, u.Units), q: factor{f: f}}
	all := atom{size: u.Units}
	for _, v := range []*uint64{&all.d, &all.z[0], &all.z[1], &all.z[2]} {
		if *v, err = f.draw(random); err != nil {
			return nil, fmt.Errorf("new registry: %w", err)
		}
	}
	r.atoms = []atom{all}
	if u.KnownTotal {
		if all.d == 0 {
			return nil, fmt.Errorf("new registry: %w", ErrDraw)
		}
		r.rows = []row{{pivot: 0, size: u.Units}}
		r.tables = []record{{class: make([]uint16, 1), rows: [][]int{{0}}, shown: 1}}
		r.q.push(nil, f.inverse(all.d), all.z)
	}
	return r, nil
}

// Add registers the table as declared if it is safe; otherwise ErrUnsafe, the
// report saying why, and nothing changed.
func (r *Registry) Add(ctx context.Context, t *Table) (Report, error) {
	trial, err := r.Try(ctx, t)
	if err != nil {
		return Report{}, err
	}
	return trial.Report(), trial.Commit()
}

// Atoms is the number of sets that no registered table tells apart. EVIDENCE:
// it never leaves.
func (r *Registry) Atoms() int { return len(r.atoms) }

// Rank is the number of independent shown rows, totals included.
func (r *Registry) Rank() int { return r.q.rank() }

// Tables is the number of registered tables.
func (r *Registry) Tables() int {
	if r.u.KnownTotal {
		return len(r.tables) - 1
	}
	return len(r.tables)
}
