package disclosure

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// None marks a unit that is in no cell.
const None = ^uint32(0)

// Member puts a unit into one more cell.
type Member struct{ Unit, Cell uint32 }

// Table is one exact table: which units each cell holds, and which cells are
// shown. Cells are numbered from 0 to len(Shown)-1.
type Table struct {
	Cells []uint32 // by unit: its cell, or None (filtered out)
	Also  []Member // further cells of units that are in several
	Shown []bool   // by cell; a withheld cell is false
	// Total says that the number over all units of the table is told, or can be
	// known, besides the cells.
	Total bool
}

// layout is a table with equal memberships made equal: each unit has a class,
// each class the set of its cells. Class 0 is "in no cell".
type layout struct {
	class []uint32   // by unit
	sets  [][]uint32 // by class: cells, sorted, distinct
}

// maxClasses bounds the classes of one table; they are stored in 16 bits.
const maxClasses = 1<<16 - 1

func (t *Table) layout(units, maxCells int) (*layout, error) {
	if t == nil || len(t.Cells) != units {
		return nil, fmt.Errorf("%w: cells: one entry for each unit is needed", ErrTable)
	}
	if len(t.Shown) == 0 {
		return nil, fmt.Errorf("%w: shown: a table has at least one cell", ErrTable)
	}
	if len(t.Shown) > maxCells {
		return nil, fmt.Errorf("%w: shown: more than %d cells", ErrLimit, maxCells)
	}
	k := uint32(len(t.Shown))
	lay := &layout{class: make([]uint32, units), sets: make([][]uint32, k+1)}
	for c := range k {
		lay.sets[c+1] = []uint32{c}
	}
	for u, c := range t.Cells {
		if c == None {
			continue
		}
		if c >= k {
			return nil, fmt.Errorf("%w: cells: unit %d has a cell that does not exist", ErrTable, u)
		}
		lay.class[u] = c + 1
	}
	if err := t.overlap(lay); err != nil {
		return nil, err
	}
	return lay, nil
}

// overlap gives the units of Also their classes.
func (t *Table) overlap(lay *layout) error {
	for i, m := range t.Also {
		if int(m.Unit) >= len(t.Cells) || int(m.Cell) >= len(t.Shown) {
			return fmt.Errorf("%w: also: entry %d names a unit or cell that does not exist", ErrTable, i)
		}
	}
	also := slices.Clone(t.Also)
	slices.SortFunc(also, func(a, b Member) int {
		if a.Unit != b.Unit {
			return int(int64(a.Unit) - int64(b.Unit))
		}
		return int(int64(a.Cell) - int64(b.Cell))
	})
	known := make(map[string]uint32)
	for len(also) > 0 {
		u := also[0].Unit
		set := slices.Clone(lay.sets[lay.class[u]])
		for len(also) > 0 && also[0].Unit == u {
			set = append(set, also[0].Cell)
			also = also[1:]
		}
		slices.Sort(set)
		set = slices.Compact(set)
		if len(set) == 1 {
			lay.class[u] = set[0] + 1
			continue
		}
		key := setKey(set)
		id, ok := known[key]
		if !ok {
			id = uint32(len(lay.sets))
			if id >= maxClasses {
				return fmt.Errorf("%w: also: more than %d combinations of cells", ErrLimit, maxClasses)
			}
			known[key] = id
			lay.sets = append(lay.sets, set)
		}
		lay.class[u] = id
	}
	return nil
}

func setKey(set []uint32) string {
	b := make([]byte, 0, 4*len(set))
	for _, v := range set {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return string(b)
}
