package disclosure

import "slices"

// crowd counts the distinct subjects of a set of atoms, and stops at least.
type crowd struct {
	least int
	n     int
	who   []uint32
}

// add takes one more atom in and says whether the crowd is large enough.
func (c *crowd) add(a *atom) bool {
	if a.who == nil {
		c.n += a.size
		return c.n >= c.least
	}
	for _, o := range a.who {
		if len(c.who) >= c.least {
			return true
		}
		if !slices.Contains(c.who, o) {
			c.who = append(c.who, o)
		}
	}
	return len(c.who) >= c.least
}

// few says that the atoms that in picks belong to fewer than Least subjects.
func (r *Registry) few(atoms []atom, in func(i int) bool) bool {
	c := crowd{least: r.u.Least}
	for i := range atoms {
		if in(i) && c.add(&atoms[i]) {
			return false
		}
	}
	return true
}

// fewTogether says that the listed atoms belong to fewer than Least subjects.
func (r *Registry) fewTogether(atoms []atom, list ...int) bool {
	c := crowd{least: r.u.Least}
	for _, a := range list {
		if c.add(&atoms[a]) {
			return false
		}
	}
	return true
}

// meetOwner notes that a unit of the atom belongs to owner; Least owners are
// enough to know.
func (a *atom) meetOwner(owner uint32, least int) {
	if len(a.who) < least && !slices.Contains(a.who, owner) {
		a.who = append(a.who, owner)
	}
}

// ownership checks Universe.Owners: how many subjects there are, and the most
// units of one.
func (u *Universe) ownership() (subjects, most int, ok bool) {
	if u.Owners == nil {
		return u.Units, 1, true
	}
	if len(u.Owners) != u.Units {
		return 0, 0, false
	}
	n := make([]int32, u.Units)
	for _, o := range u.Owners {
		if int(o) >= u.Units {
			return 0, 0, false
		}
		if n[o]++; n[o] == 1 {
			subjects++
		}
		most = max(most, int(n[o]))
	}
	return subjects, most, true
}
