package job

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
)

// naive is what everybody can know of one kind of figure: rows over units, and whose each unit is.
type naive struct {
	owner []int
	rows  [][]bool
}

// prime of the oracle's elimination; the gateway draws its own, of 61 bits.
const prime = 2_147_483_647

func rank(rows [][]uint64) (n int) {
	if len(rows) == 0 {
		return 0
	}
	m := make([][]uint64, len(rows))
	for i := range rows {
		m[i] = slices.Clone(rows[i])
	}
	for c := 0; c < len(m[0]) && n < len(m); c++ {
		p := slices.IndexFunc(m[n:], func(r []uint64) bool { return r[c] != 0 })
		if p < 0 {
			continue
		}
		m[n], m[n+p] = m[n+p], m[n]
		inv := power(m[n][c], prime-2)
		for i := n + 1; i < len(m); i++ {
			if k := m[i][c] * inv % prime; k != 0 {
				for x := c; x < len(m[i]); x++ {
					m[i][x] = (m[i][x] + (prime-k)*m[n][x]) % prime
				}
			}
		}
		n++
	}
	return n
}

func power(b, e uint64) uint64 {
	out := uint64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out * b % prime
		}
		b = b * b % prime
	}
	return out
}

// determined looks for an atom or pair of atoms of fewer than least subjects of which some figure follows:
// leaving their columns out, the shown rows lose rank.
func (w *naive) determined(least int) string {
	known := map[string]int{}
	var who []map[int]bool
	for u := range w.owner {
		var sig strings.Builder
		for _, r := range w.rows {
			fmt.Fprint(&sig, r[u])
		}
		a, ok := known[sig.String()]
		if !ok {
			a = len(who)
			known[sig.String()], who = a, append(who, map[int]bool{})
		}
		who[a][w.owner[u]] = true
	}
	matrix := make([][]uint64, len(w.rows))
	for u := range w.owner {
		var sig strings.Builder
		for _, r := range w.rows {
			fmt.Fprint(&sig, r[u])
		}
		for i, r := range w.rows {
			if matrix[i] == nil {
				matrix[i] = make([]uint64, len(who))
			}
			if r[u] {
				matrix[i][known[sig.String()]] = 1
			}
		}
	}
	full := rank(matrix)
	for a := range who {
		for b := a; b < len(who); b++ {
			both := map[int]bool{}
			for _, x := range []int{a, b} {
				for o := range who[x] {
					both[o] = true
				}
			}
			if len(both) >= least {
				continue
			}
			rest := make([][]uint64, len(matrix))
			for i, r := range matrix {
				for c, v := range r {
					if c != a && c != b {
						rest[i] = append(rest[i], v)
					}
				}
			}
			if rank(rest) < full {
				return fmt.Sprintf("atoms %d and %d of %d subjects", a, b, len(both))
			}
		}
	}
	return ""
}

// matches evaluates the one filter the drawn tables have.
func matches(t *governance.Table, row []string) bool {
	for _, f := range t.Filters {
		v, _ := strconv.Atoi(row[2])
		bound, _ := strconv.Atoi(f.Value)
		if f.Op == "<" && v >= bound || f.Op == ">=" && v < bound {
			return false
		}
	}
	return true
}

func keysOf(t *governance.Table, row []string) string {
	var keys []string
	for _, g := range t.GroupBy {
		keys = append(keys, row[map[string]int{"district": 1, "age": 2, "lien": 4}[g]])
	}
	return joinKeys(keys)
}

// add notes the shown cells of a pattern over the units of one kind, and the table's total where that was
// taken as told; unit is -1 for a row without one. Atoms must be those of the judgement: of unions of four
// and more of them nothing is promised, and a world without the totals has such unions as atoms.
func (w *naive) add(p *pattern, rows [][]string, unit []int) {
	tell := func(in func(row []string) bool) {
		r := make([]bool, len(w.owner))
		for i, row := range rows {
			if unit[i] >= 0 && matches(&p.Table, row) && in(row) {
				r[unit[i]] = true
			}
		}
		w.rows = append(w.rows, r)
	}
	for _, k := range p.Shown {
		tell(func(row []string) bool { return keysOf(&p.Table, row) == joinKeys(k) })
	}
	if p.Total && len(p.Shown) > 0 {
		tell(func([]string) bool { return true })
	}
}

func drawTables(t *rapid.T) []governance.Table {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) governance.Table {
		out := governance.Table{Dataset: "d", GroupBy: rapid.SampledFrom([][]string{nil, {"district"}, {"lien"}, {"lien", "district"}}).Draw(t, "group")}
		if rapid.Bool().Draw(t, "filtered") {
			out.Filters = []governance.Filter{{Field: "age", Op: rapid.SampledFrom([]string{"<", ">="}).Draw(t, "op"),
				Value: fmt.Sprint(rapid.IntRange(1, 8).Draw(t, "bound"))}}
		}
		out.Measures = rapid.SampledFrom([][]governance.Measure{{{Kind: "subjects"}}, {{Kind: "count"}}, {{Kind: "sum", Field: "wage"}}}).Draw(t, "measure")
		return out
	}), 1, 7).Draw(t, "tables")
}

// Over everything that all registered tables of a version show, no figure about fewer than ten subjects
// follows by linear algebra: neither from counts of subjects, nor from figures over records, nor from
// sums over those who have a value. The oracle knows sets and rank, not the code under test.
func TestExactTables_NothingAboutAFewFollows(t *testing.T) {
	shown := 0
	rapid.Check(t, func(t *rapid.T) {
		b := &book{fields: []governance.Field{{Name: "rid", Type: "string"}, {Name: "district", Type: "string"}, {Name: "age", Type: "int64"}, {Name: "wage", Type: "int64"}, {Name: "lien", Type: "bool"}}}
		people := rapid.IntRange(30, 130).Draw(t, "people")
		seed := rapid.Uint64().Draw(t, "seed")
		next := func(n int) int {
			seed = seed*6364136223846793005 + 1442695040888963407
			return int(seed>>33) % n
		}
		nulls, more := rapid.Bool().Draw(t, "nulls"), rapid.Bool().Draw(t, "several")
		for i := range people {
			for k := 0; k == 0 || more && k < 3 && next(3) == 0; k++ {
				wage := fmt.Sprint(next(50) + 20)
				if nulls && next(6) == 0 {
					wage = ""
				}
				b.rows = append(b.rows, []string{fmt.Sprint("p", i), fmt.Sprint("d", next(3)), fmt.Sprint(next(9)), wage, fmt.Sprint(next(3) == 0)})
			}
		}
		subject := governance.Subject{Field: "rid", Identifier: "opaque"}
		if rapid.Bool().Draw(t, "row number") {
			subject, people = governance.Subject{RowNumber: true}, len(b.rows)
			for i := range b.rows {
				b.rows[i][0] = fmt.Sprint("p", i)
			}
		}
		d := &governance.Domain{Settings: governance.DefaultSettings(), Tables: drawTables(t),
			Datasets: []governance.Dataset{{ID: "d", Version: "1", Subject: subject, Fields: b.fields}}}
		r := &Runner{domain: newDomain(), o: Options{Rand: rand.Reader, Clock: time.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Source: func(*governance.Dataset) (connectors.Source, error) { return b, nil }}}
		found, err := r.judgeTables(context.Background(), d)
		require.NoError(t, err)
		require.Empty(t, found.unread)
		kinds := worlds(b.rows, people)
		oneEach := people == len(b.rows) // then every count of subjects counts records
		for _, p := range found.patterns {
			shown += len(p.Shown)
			measure := p.Table.Measures[0]
			kinds["subjects"].add(p, b.rows, kinds["subjects"].unit)
			if oneEach || measure.Kind != "subjects" {
				kinds["records"].add(p, b.rows, kinds["records"].unit)
			}
			if measure.Field != "" {
				kinds["values"].add(p, b.rows, kinds["values"].unit)
			}
		}
		for name, w := range kinds {
			require.Empty(t, w.determined(10), name)
		}
	})
	require.Positive(t, shown, "something is shown at all")
}

type kind struct {
	naive
	unit []int // by row
}

// worlds lays the rows out as subjects, records, and records with a value; their totals are known.
func worlds(rows [][]string, people int) map[string]*kind {
	out := map[string]*kind{"subjects": {}, "records": {}, "values": {}}
	for i := range people {
		out["subjects"].owner = append(out["subjects"].owner, i)
	}
	for _, row := range rows {
		who, _ := strconv.Atoi(row[0][1:])
		out["subjects"].unit = append(out["subjects"].unit, who)
		for _, name := range []string{"records", "values"} {
			k := out[name]
			if name == "values" && row[3] == "" {
				k.unit = append(k.unit, -1)
				continue
			}
			k.unit = append(k.unit, len(k.owner))
			k.owner = append(k.owner, who)
		}
	}
	for _, k := range out {
		k.rows = append(k.rows, slices.Repeat([]bool{true}, len(k.owner)))
	}
	return out
}

// The attack learns a bit that the tables give away: the lien of everybody, told for groups of ten
// whose members all have it or all do not.
func TestReconstruction_FindsWhatIsGivenAway(t *testing.T) {
	for _, told := range []bool{true, false} {
		b := &book{fields: []governance.Field{{Name: "rid", Type: "string"}, {Name: "district", Type: "string"}, {Name: "age", Type: "int64"}, {Name: "wage", Type: "int64"}, {Name: "lien", Type: "bool"}}}
		for i := range 600 {
			lien := i/30%2 == 0
			if !told {
				lien = i%2 == 0
			}
			b.rows = append(b.rows, []string{fmt.Sprint("p", i), fmt.Sprint("d", i/30), "1", "1", fmt.Sprint(lien)})
		}
		d := &governance.Domain{Settings: governance.DefaultSettings(),
			Tables:   []governance.Table{{ID: "t", Dataset: "d", GroupBy: []string{"lien", "district"}, Measures: []governance.Measure{{Kind: "count"}}}},
			Datasets: []governance.Dataset{{ID: "d", Version: "1", Subject: governance.Subject{Field: "rid", Identifier: "opaque"}, Fields: b.fields}}}
		var text strings.Builder
		r := &Runner{domain: newDomain(), o: Options{Rand: rand.Reader, Logger: slog.New(slog.NewTextHandler(&text, nil)),
			Source: func(*governance.Dataset) (connectors.Source, error) { return b, nil }}}
		found, err := r.judgeTables(context.Background(), d)
		require.NoError(t, err)
		require.Len(t, found.patterns, 1)
		if !told {
			for _, a := range found.attacks {
				require.Equal(t, outBelow, a.outcome)
			}
			continue
		}
		require.NotEmpty(t, found.attacks)
		require.Equal(t, []string{outBelow, outAbove}, []string{found.attacks[0].outcome, found.attacks[1].outcome})
		require.Equal(t, "reconstruction", found.attacks[1].finding().Rule)
		require.Contains(t, text.String(), "attack.recovered=")
		require.NotContains(t, text.String(), "p17")
	}
}
