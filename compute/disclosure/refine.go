package disclosure

import "fmt"

// refine splits atoms by class. of gives each member its atom (0 to atoms-1,
// each with a member), class its class. Two members share an atom of next iff
// they shared one of of and have equal classes. The class that an atom meets
// first keeps its number, the others get new ones, so parent[a] == a for the old
// numbers. Pairs are compared in full: no collision can merge two atoms.
// Linear time; the map holds only what splits off.
func refine(of []uint32, atoms int, class []uint32, limit int) (next, parent []uint32, err error) {
	first := make([]uint32, atoms)
	for a := range first {
		first[a] = None
	}
	parent = make([]uint32, atoms, atoms+atoms/8)
	for a := range parent {
		parent[a] = uint32(a)
	}
	next = make([]uint32, len(of))
	split := make(map[uint64]uint32)
	for u, a := range of {
		c := class[u]
		if first[a] == None {
			first[a] = c
		}
		if first[a] == c {
			next[u] = a
			continue
		}
		key := uint64(a)<<32 | uint64(c)
		id, ok := split[key]
		if !ok {
			if len(parent) >= limit {
				return nil, nil, fmt.Errorf("refine atoms: %w: more than %d", ErrLimit, limit)
			}
			id = uint32(len(parent))
			split[key] = id
			parent = append(parent, a)
		}
		next[u] = id
	}
	return next, parent, nil
}
