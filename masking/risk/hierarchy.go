package risk

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds of a hierarchy's table.
const (
	MaxHierarchyBytes  = 64 << 20
	MaxHierarchyLeaves = 1 << 20
	MaxHierarchyLevels = 32 // levels above the values
	maxLabelBytes      = 4096
)

// Hierarchy says what each value becomes at each level of generalisation.
// Level 0 is the value itself, level Height the coarsest. It is immutable.
type Hierarchy struct {
	leaf   map[string]uint32
	labels [][]string // by level, by code
	up     [][]uint32 // by level, by leaf: the code
}

// ParseHierarchy reads ARX's form: one line per value with its label at each
// level, separated by semicolons, quoted as in RFC 4180 where needed:
//
//	value;level 1;level 2;...;*
//
// UTF-8, with or without a byte order mark. Each value once, every line as
// long as the first, and every level a function of the one below it: two
// values with one label share all labels further up. Errors name line and
// level, never a label.
func ParseHierarchy(r io.Reader) (*Hierarchy, error) {
	bounded := &io.LimitedReader{R: r, N: MaxHierarchyBytes + 1}
	buf := bufio.NewReader(bounded)
	if mark, err := buf.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buf.Discard(len(mark)) // cannot fail: they were peeked
	}
	lines := csv.NewReader(buf)
	lines.Comma = ';'
	lines.ReuseRecord = true
	h := &Hierarchy{leaf: make(map[string]uint32)}
	var known []map[string]label // by level
	for n := 1; ; n++ {
		fields, err := lines.Read()
		if bounded.N <= 0 {
			return nil, fmt.Errorf("hierarchy: larger than %d bytes", MaxHierarchyBytes)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("hierarchy: %w", err)
		}
		line, _ := lines.FieldPos(0)
		if n == 1 {
			if len(fields) < 2 || len(fields) > MaxHierarchyLevels+1 {
				return nil, fmt.Errorf("hierarchy: line %d: want 2 to %d fields", line, MaxHierarchyLevels+1)
			}
			known = h.start(len(fields))
		}
		if err := h.add(fields, known); err != nil {
			return nil, fmt.Errorf("hierarchy: line %d: %w", line, err)
		}
	}
	if len(h.leaf) == 0 {
		return nil, errors.New("hierarchy: no values")
	}
	return h, nil
}

// label is what is known of one while its table is read.
type label struct {
	code  uint32
	above string
}

func (h *Hierarchy) start(levels int) []map[string]label {
	h.labels = make([][]string, levels)
	h.up = make([][]uint32, levels)
	known := make([]map[string]label, levels)
	for i := range known {
		known[i] = make(map[string]label)
	}
	return known
}

// add appends a line. The codes of a level are in the order of first sight.
func (h *Hierarchy) add(fields []string, known []map[string]label) error {
	if len(h.leaf) == MaxHierarchyLeaves {
		return fmt.Errorf("more than %d values", MaxHierarchyLeaves)
	}
	if _, twice := h.leaf[fields[0]]; twice {
		return errors.New("the value has a line already")
	}
	for i, f := range fields {
		if !utf8.ValidString(f) || len(f) > maxLabelBytes {
			return fmt.Errorf("level %d: want UTF-8 of at most %d bytes", i, maxLabelBytes)
		}
		above := ""
		if i+1 < len(fields) {
			above = fields[i+1]
		}
		l, ok := known[i][f]
		if ok && l.above != above {
			return fmt.Errorf("level %d: not a function of level %d", i+1, i)
		}
		if !ok {
			l = label{code: uint32(len(h.labels[i])), above: above}
			known[i][f] = l
			h.labels[i] = append(h.labels[i], f)
		}
		h.up[i] = append(h.up[i], l.code)
	}
	h.leaf[fields[0]] = uint32(len(h.leaf))
	return nil
}

// Height is the number of the coarsest level.
func (h *Hierarchy) Height() int { return len(h.labels) - 1 }

// Leaves is the number of values.
func (h *Hierarchy) Leaves() int { return len(h.leaf) }

// Tops is the number of labels at the coarsest level. Above one, even the
// coarsest table tells its records apart by this column.
func (h *Hierarchy) Tops() int { return len(h.labels[h.Height()]) }

// At gives the label of a value at a level; false if either is unknown.
func (h *Hierarchy) At(level int, value string) (string, bool) {
	leaf, ok := h.leaf[value]
	if !ok || level < 0 || level > h.Height() {
		return "", false
	}
	return h.labels[level][h.up[level][leaf]], true
}
