package generalize

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxTableBytes = 4 << 20
	maxLevels     = 32
)

// Hierarchy holds the labels of each value by level, as ARX writes them: one
// line a value, value first, then its labels from fine to coarse. A label's
// own label at the next level is the same on every line.
type Hierarchy struct {
	levels int
	rows   map[string][]string
}

// ParseHierarchy reads a table of at most 4 MiB with the separator given.
// Ragged lines, empty fields, a value twice, and labels that do not nest are
// refused with the line.
func ParseHierarchy(table string, separator rune) (*Hierarchy, error) {
	if len(table) > maxTableBytes {
		return nil, fmt.Errorf("hierarchy: larger than %d bytes", maxTableBytes)
	}
	if !utf8.ValidString(table) {
		return nil, errors.New("hierarchy: not UTF-8")
	}
	r := csv.NewReader(strings.NewReader(table))
	r.Comma = separator
	h := &Hierarchy{rows: make(map[string][]string)}
	var parents []map[string]string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("hierarchy: %w", err)
		}
		line, _ := r.FieldPos(0)
		if parents == nil {
			if len(row) < 2 || len(row) > maxLevels+1 {
				return nil, fmt.Errorf("hierarchy: line %d: want 2 to %d fields", line, maxLevels+1)
			}
			h.levels = len(row) - 1
			parents = make([]map[string]string, len(row))
			for i := range parents {
				parents[i] = make(map[string]string)
			}
		}
		if err := h.add(row, parents); err != nil {
			return nil, fmt.Errorf("hierarchy: line %d: %w", line, err)
		}
	}
	if h.levels == 0 {
		return nil, errors.New("hierarchy: empty")
	}
	return h, nil
}

func (h *Hierarchy) add(row []string, parents []map[string]string) error {
	if _, ok := h.rows[row[0]]; ok {
		return errors.New("value appears twice")
	}
	for i, label := range row {
		if label == "" {
			return fmt.Errorf("field %d is empty", i+1)
		}
		if i == len(row)-1 {
			break
		}
		if up, ok := parents[i][label]; ok && up != row[i+1] {
			return fmt.Errorf("label at level %d has another label above it than before", i)
		}
		parents[i][label] = row[i+1]
	}
	h.rows[row[0]] = row
	return nil
}

// Levels is the number of levels above the values themselves.
func (h *Hierarchy) Levels() int { return h.levels }

// Label gives the label of a value at a level; level 0 is the value itself.
func (h *Hierarchy) Label(value string, level int) (string, bool) {
	row, ok := h.rows[value]
	if !ok || level < 0 || level > h.levels {
		return "", false
	}
	return row[level], true
}
