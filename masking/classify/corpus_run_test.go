package classify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/classify"
)

// strictTypes have check characters.
var strictTypes = []classify.Type{classify.ResidentID, classify.CreditCode, classify.BankCard, classify.IMEI, classify.Permanent}

type score struct{ truth, found, right int }

func (s *score) add(o score) { s.truth += o.truth; s.found += o.found; s.right += o.right }

func (s *score) precision() float64 {
	if s.found == 0 {
		return 1
	}
	return float64(s.right) / float64(s.found)
}

func (s *score) recall() float64 {
	if s.truth == 0 {
		return 1
	}
	return float64(s.right) / float64(s.truth)
}

// measure classifies every column of a corpus and prints the table.
func measure(t *testing.T, columns []labelled) (strict, rest score, scores map[classify.Type]*score) {
	scores = map[classify.Type]*score{}
	at := func(typ classify.Type) *score {
		if scores[typ] == nil {
			scores[typ] = &score{}
		}
		return scores[typ]
	}
	for i, c := range columns {
		r := classifyText(t, c.header, c.values, classify.Options{Sample: 400, Seed: uint64(i)})
		at(c.want).truth++
		at(r.Type).found++
		if r.Type == c.want {
			at(r.Type).right++
		} else {
			t.Logf("column %d %q (%s): want %s, found %s %+v", i, c.header, c.note, c.want, r.Type, r.Evidence)
		}
		if c.mixed != nil {
			var got []classify.Type
			for _, s := range r.Mixed {
				got = append(got, s.Type)
			}
			require.ElementsMatchf(t, c.mixed, got, "column %d %q", i, c.header)
		}
		require.NotEmpty(t, r.Grade)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %7s %7s %9s %7s\n", "type", "columns", "found", "precision", "recall")
	types := make([]classify.Type, 0, len(scores))
	for typ := range scores {
		types = append(types, typ)
	}
	slices.Sort(types)
	for _, typ := range types {
		s := scores[typ]
		fmt.Fprintf(&b, "%-18s %7d %7d %9.3f %7.3f\n", typ, s.truth, s.found, s.precision(), s.recall())
		if slices.Contains(strictTypes, typ) {
			strict.add(*s)
		} else {
			rest.add(*s)
		}
	}
	fmt.Fprintf(&b, "%-18s %7d %7d %9.3f %7.3f\n", "check characters", strict.truth, strict.found, strict.precision(), strict.recall())
	fmt.Fprintf(&b, "%-18s %7d %7d %9.3f %7.3f\n", "all others", rest.truth, rest.found, rest.precision(), rest.recall())
	t.Logf("%d columns\n%s", len(columns), b.String())
	return strict, rest, scores
}

// TestCorpus measures on the corpus the package was made with and on held-out
// ones: other seeds, headers, names, places, spellings and kinds of dirt.
func TestCorpus(t *testing.T) {
	for _, c := range []struct {
		name    string
		seed    uint64
		variant bool
		rows    int
	}{
		{"known", 1, false, 600}, {"held out", 20261031, true, 600}, {"another seed", 7, false, 600},
		{"held out again", 99, true, 600}, {"held out, few rows", 3, true, 80},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &maker{rand.New(rand.NewPCG(c.seed, 5)), c.variant}
			columns := corpus(m, c.rows)
			require.GreaterOrEqual(t, len(columns), 200)
			strict, rest, _ := measure(t, columns)
			require.GreaterOrEqual(t, strict.precision(), 0.99, "check characters: precision")
			require.GreaterOrEqual(t, strict.recall(), 0.99, "check characters: recall")
			require.GreaterOrEqual(t, rest.precision(), 0.95, "others: precision")
			require.GreaterOrEqual(t, rest.recall(), 0.95, "others: recall")
		})
	}
}
