package draw

import (
	"slices"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Windows groups rows of a batch by windows of the read: rows lists the rows
// to treat, ascending, within the batch; the first row of the batch is number
// first of the read, and windows begin at multiples of size. A window the
// batch cuts is treated within the batch. A group of fewer than least rows
// joins the one before it, or behind it if it is the first; one group of fewer
// than least remains if the batch has no more, and Scarce deals with it.
// The groups alias rows.
func Windows(first int64, rows []int, size, least int) [][]int {
	var groups [][]int
	for from := 0; from < len(rows); {
		w := (first + int64(rows[from])) / int64(size)
		to := from + 1
		for to < len(rows) && (first+int64(rows[to]))/int64(size) == w {
			to++
		}
		groups = append(groups, rows[from:to:to])
		from = to
	}
	return merge(rows, groups, least)
}

// merge joins neighbours, which lie behind each other in rows.
func merge(rows []int, groups [][]int, least int) [][]int {
	out := groups[:0]
	at := 0 // where the group being built begins in rows
	for end := 0; len(groups) > 0; groups = groups[1:] {
		end += len(groups[0])
		if end-at >= least {
			out = append(out, rows[at:end:end])
			at = end
		}
	}
	switch rest := len(rows) - at; {
	case rest == 0:
	case len(out) == 0:
		out = append(out, rows)
	default:
		last := len(out) - 1
		out[last] = rows[at-len(out[last]) : len(rows) : len(rows)]
	}
	return out
}

// Scarce reports every row of the only group, and those already known to be
// malformed, if the group has fewer rows than least: alone, values cannot hide
// among others. It gives the groups that are left.
func Scarce(env *kernel.Env, groups [][]int, least int, malformed []int, malformedRule string) ([][]int, error) {
	var scarce []int
	if len(groups) == 1 && len(groups[0]) < least {
		scarce, groups = groups[0], nil
	}
	bad := slices.Concat(malformed, scarce)
	slices.Sort(bad)
	for _, row := range bad {
		rule := ruleScarce
		if _, found := slices.BinarySearch(malformed, row); found {
			rule = malformedRule
		}
		if err := env.Malformed(row, rule); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

const ruleScarce = "the batch holds fewer values than the technique needs: read larger batches"

// Present lists the rows that are not null.
func Present(v kernel.Validity, n int) []int {
	rows := make([]int, 0, n)
	for i := range n {
		if !v.Null(i) {
			rows = append(rows, i)
		}
	}
	return rows
}
