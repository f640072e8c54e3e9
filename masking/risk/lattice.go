package risk

import (
	"fmt"
	"math/bits"
)

// Quasi is a quasi-identifier and how it may be generalised. Without a
// hierarchy it is either kept or wholly withheld.
type Quasi struct {
	Column    string
	Hierarchy *Hierarchy
}

// bound is a hierarchy bound to the values a column really has.
type bound struct {
	name   string
	col    *coded
	h      *Hierarchy
	height int
	leaf   []uint32   // by code of the column: the value's leaf in h; unused without h and for null
	up     [][]uint32 // by level, by code of the column: the code of its group
	size   [][]uint32 // by level, by code: how many leaves of the hierarchy its group has
	leaves uint32     // of the hierarchy; null, where it occurs, is one more
	shift  []uint     // by level: where the number among siblings begins in the key
	bits   uint       // of the whole key
	key    []uint64   // by code of the column
}

// newBound looks up every value of the column. Null is a leaf beside the
// others: its own group below the coarsest level, and within the one group of
// that level, or alone where that level has several.
func newBound(t *Table, q Quasi) (*bound, error) {
	c := t.column(q.Column)
	b := &bound{name: q.Column, col: c, h: q.Hierarchy, height: 1}
	n := len(c.labels)
	if q.Hierarchy == nil {
		b.leaves = uint32(n)
		b.up = [][]uint32{make([]uint32, n), make([]uint32, n)}
		for code := range n {
			b.up[0][code] = uint32(code)
		}
		b.measure(nil)
		return b, nil
	}
	h := q.Hierarchy
	b.height, b.leaves = h.Height(), uint32(h.Leaves())
	b.leaf = make([]uint32, n)
	b.up = make([][]uint32, b.height+1)
	for code, label := range c.labels {
		if code == c.null {
			b.leaves++
			continue
		}
		leaf, ok := h.leaf[label]
		if !ok {
			return nil, fmt.Errorf("column %q at row %d: the value is not in the hierarchy", q.Column, c.first[code])
		}
		b.leaf[code] = leaf
	}
	for level := range b.up {
		b.up[level] = make([]uint32, n)
		for code := range n {
			switch {
			case code != c.null:
				b.up[level][code] = h.up[level][b.leaf[code]]
			case level < b.height || h.Tops() > 1:
				b.up[level][code] = uint32(len(h.labels[level])) // beyond all labels
			}
		}
	}
	b.measure(h)
	return b, nil
}

// measure counts the leaves of each group; values that do not occur count too.
func (b *bound) measure(h *Hierarchy) {
	b.size = make([][]uint32, b.height+1)
	for level, up := range b.up {
		count := make(map[uint32]uint32)
		if h != nil {
			for _, group := range h.up[level] {
				count[group]++
			}
			if b.col.null >= 0 {
				count[up[b.col.null]]++
			}
		} else {
			for _, group := range up {
				count[group]++
			}
		}
		b.size[level] = make([]uint32, len(up))
		for code, group := range up {
			b.size[level][code] = count[group]
		}
	}
}

// pack numbers each group among its siblings, coarsest level first, so that
// the key of a value at a level is the key of the value with the bits of finer
// levels cleared: generalising is one AND.
func (b *bound) pack() error {
	n := len(b.col.labels)
	b.key = make([]uint64, n)
	b.shift = make([]uint, b.height+1)
	type sibling struct{ above, group uint32 }
	number := make([][]uint32, b.height+1) // by level, by code
	width := make([]uint, b.height+1)
	for level := b.height; level >= 0; level-- {
		seen := make(map[sibling]uint32)
		next := make(map[uint32]uint32)
		number[level] = make([]uint32, n)
		most := uint32(0)
		for code := range n {
			s := sibling{group: b.up[level][code]}
			if level < b.height {
				s.above = b.up[level+1][code]
			}
			at, ok := seen[s]
			if !ok {
				at = next[s.above]
				next[s.above]++
				seen[s] = at
			}
			number[level][code] = at
			most = max(most, at)
		}
		width[level] = uint(bits.Len32(most))
	}
	for level := range width {
		b.shift[level] = b.bits
		b.bits += width[level]
	}
	if b.bits > 64 {
		return fmt.Errorf("column %q: its hierarchy needs a key of %d bits, more than 64", b.name, b.bits)
	}
	for level := range number {
		for code, at := range number[level] {
			b.key[code] |= uint64(at) << b.shift[level]
		}
	}
	return nil
}

// mask keeps the bits of a level and the coarser ones.
func (b *bound) mask(level int) uint64 {
	if b.bits == 0 {
		return 0
	}
	return (^uint64(0) >> (64 - b.bits)) &^ (1<<b.shift[level] - 1)
}

// lattice is the product of the hierarchies: a node is a level for each
// column, numbered in mixed radix.
type lattice struct {
	cols   []*bound
	stride []int
	nodes  int
	at     []place
	wide   bool // keys of two words
}

// place says where the key of a column lies in the packed key.
type place struct {
	word  int
	shift uint
}

// Bounds of a search.
const (
	MaxNodes   = 1 << 22 // recodings of a lattice
	maxKeyBits = 128
)

func newLattice(t *Table, quasi []Quasi) (*lattice, error) {
	l := &lattice{nodes: 1}
	var used [2]uint
	for _, q := range quasi {
		b, err := newBound(t, q)
		if err != nil {
			return nil, err
		}
		if err := b.pack(); err != nil {
			return nil, err
		}
		l.stride = append(l.stride, l.nodes)
		l.nodes *= b.height + 1
		if l.nodes > MaxNodes {
			return nil, fmt.Errorf("more than %d recodings: take fewer columns or levels, or recode locally", MaxNodes)
		}
		word := 0
		if used[0]+b.bits > 64 {
			word = 1
			if used[1]+b.bits > 64 {
				return nil, fmt.Errorf("column %q: the packed key exceeds %d bits: take fewer columns, or recode locally",
					q.Column, maxKeyBits)
			}
		}
		l.at = append(l.at, place{word, used[word]})
		used[word] += b.bits
		l.cols = append(l.cols, b)
	}
	l.wide = used[1] > 0
	return l, nil
}

// level is the level of a column in a node.
func (l *lattice) level(node, col int) int {
	return node / l.stride[col] % (l.cols[col].height + 1)
}

// sum is the sum of a node's levels.
func (l *lattice) sum(node int) int {
	n := 0
	for c := range l.cols {
		n += l.level(node, c)
	}
	return n
}

// within reports whether a generalises to b: no level of a is above b's.
func (l *lattice) within(a, b int) bool {
	for c := range l.cols {
		if l.level(a, c) > l.level(b, c) {
			return false
		}
	}
	return true
}

// mask is the mask of a node's packed keys.
func (l *lattice) mask(node int) (lo, hi uint64) {
	var words [2]uint64
	for c, b := range l.cols {
		words[l.at[c].word] |= b.mask(l.level(node, c)) << l.at[c].shift
	}
	return words[0], words[1]
}

// key is the packed key of a record's leaf values.
func (l *lattice) key(row int) (lo, hi uint64) {
	var words [2]uint64
	for c, b := range l.cols {
		words[l.at[c].word] |= b.key[b.col.codes[row]] << l.at[c].shift
	}
	return words[0], words[1]
}
