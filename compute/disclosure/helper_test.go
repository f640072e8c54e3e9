package disclosure

import (
	"context"
	"io"
	mrand "math/rand/v2"

	"github.com/stretchr/testify/require"
)

// seeded is a reproducible stream of bytes.
func seeded(seed byte) io.Reader { return mrand.NewChaCha8([32]byte{seed}) }

func newRegistry(t require.TestingT, u Universe) *Registry {
	r, err := New(u, seeded(1))
	require.NoError(t, err)
	return r
}

// grouped puts unit u into cell cells[u], all cells shown; -1 is no cell.
func grouped(k int, cells ...int) *Table {
	t := &Table{Cells: make([]uint32, len(cells)), Shown: make([]bool, k)}
	for u, c := range cells {
		t.Cells[u] = None
		if c >= 0 {
			t.Cells[u] = uint32(c)
		}
	}
	for c := range t.Shown {
		t.Shown[c] = true
	}
	return t
}

// by makes a table from a function.
func by(units, k int, cell func(u int) int) *Table {
	cells := make([]int, units)
	for u := range cells {
		cells[u] = cell(u)
	}
	return grouped(k, cells...)
}

func rules(r Report) map[Rule]int {
	out := make(map[Rule]int)
	for _, f := range r.Findings {
		out[f.Rule]++
	}
	return out
}

// again searches the judged pattern as if no rule on figures alone were broken.
func (t *Trial) again(ctx context.Context) (map[Rule]int, error) {
	t.report.Findings = nil
	found, err := t.reveals(ctx, t.pat)
	out := make(map[Rule]int)
	for _, v := range found {
		out[[]Rule{RuleAtom, RulePair, RuleTriple}[len(v.atoms)-1]]++
	}
	return out, err
}
