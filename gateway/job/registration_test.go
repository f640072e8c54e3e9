package job

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/masking/identifier"
)

// roster is a population subject by subject: what each template's predicate is for it.
type roster struct {
	outcomes         []uint64 // bit n: predicate n of the program
	absent, withheld []bool
}

func (r *roster) refinement(preds []int) *lookup.Refinement {
	counts := map[lookup.CellCount]int64{}
	for i, o := range r.outcomes {
		c := lookup.CellCount{Absent: r.absent[i], Withheld: r.withheld[i]}
		if !c.Absent && !c.Withheld {
			for at, n := range preds {
				c.Pattern |= o >> n & 1 << at
			}
		}
		counts[c]++
	}
	ref := &lookup.Refinement{Universe: int64(len(r.outcomes)), Rows: int64(len(r.outcomes))}
	for c, n := range counts {
		c.Count = n
		ref.Cells = append(ref.Cells, c)
	}
	return ref
}

// answers is everything that may ever be answered about one subject, by the templates named.
func (r *roster) answers(i int, templates map[string]*template, ids []string) string {
	var out []release.Code
	for _, id := range ids {
		t := templates[id]
		a := lookup.No
		switch {
		case r.absent[i]:
			a = lookup.NotFound
		case r.withheld[i]:
			a = lookup.Withheld
		case r.outcomes[i]>>t.predicate&1 == 1:
			a = lookup.Yes
		}
		out = append(out, t.code(a))
	}
	return fmt.Sprint(out)
}

// cells partitions the roster by all answers that may ever be given.
func (r *roster) cells(templates map[string]*template, ids []string) map[string]int {
	out := map[string]int{}
	for i := range r.outcomes {
		out[r.answers(i, templates, ids)]++
	}
	return out
}

func (r *roster) keepsShare(templates map[string]*template, ids []string) bool {
	cells := r.cells(templates, ids)
	for _, n := range cells {
		if 8*n < len(r.outcomes) {
			return false
		}
	}
	return len(cells) > 1
}

func rosters(predicates int) *rapid.Generator[*roster] {
	return rapid.Custom(func(t *rapid.T) *roster {
		// A few kinds of subject in random numbers, so that shares near one in eight are met.
		r := &roster{}
		for range rapid.IntRange(1, 7).Draw(t, "kinds") {
			kind := rapid.Uint64Range(0, 1<<predicates-1).Draw(t, "outcomes")
			state := rapid.IntRange(0, 5).Draw(t, "state")
			for range rapid.IntRange(1, 16).Draw(t, "number") {
				r.outcomes = append(r.outcomes, kind)
				r.absent, r.withheld = append(r.absent, state == 0), append(r.withheld, state == 1)
			}
		}
		return r
	})
}

// program is n templates, one a boolean field, of drawn classes.
func program(t *rapid.T, n int) ([]*governance.Template, *lookup.Program, []int) {
	fields := []arrow.Field{{Name: "rid", Type: arrow.BinaryTypes.String}}
	var templates []*governance.Template
	told := rapid.SampledFrom([]string{governance.ToldMerged, governance.ToldMerged, governance.ToldDistinct})
	class := rapid.SampledFrom([]string{governance.ClassOrdinary, governance.ClassOrdinary, governance.ClassOrdinary, governance.ClassRare, governance.ClassConsented})
	for i := range n {
		name := fmt.Sprintf("f%d", i)
		fields = append(fields, arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Boolean, Nullable: true})
		templates = append(templates, &governance.Template{
			ID: "t-" + name, Kind: governance.KindEquals, Class: class.Draw(t, "class"), Field: name, Value: "true",
			NotFound: told.Draw(t, "not found"), Withheld: told.Draw(t, "withheld"),
		})
	}
	p, err := lookup.Compile(predicates(templates), arrow.NewSchema(fields, nil), lookup.Subject{Field: "rid", Identifier: identifier.ResidentID})
	require.NoError(t, err)
	var preds []int
	for _, one := range templates {
		if at, ok := p.Find(one.ID); ok && ordinary(one) {
			preds = append(preds, at)
		}
	}
	return templates, p, preds
}

// Whatever is registered, every cell of the joint partition of all answers that may ever be given
// holds an eighth of the roster, so that all of them together reveal at most three bits.
func TestRegistrationAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "templates")
		templates, p, preds := program(t, n)
		r := rosters(n).Draw(t, "roster")
		reg := register(&governance.Dataset{ID: "d", Version: "1"}, templates, p, r.refinement(preds), preds, 125)
		mounted := templatesOf(templates, p, reg)

		var registered []string
		for _, one := range templates {
			if !ordinary(one) {
				require.True(t, reg.Templates[one.ID], "under rules of its own")
				continue
			}
			with := append(slices.Clone(registered), one.ID)
			require.Equal(t, r.keepsShare(mounted, with), reg.Templates[one.ID], "template %s after %v", one.ID, registered)
			if reg.Templates[one.ID] {
				registered = with
			}
		}
		if len(registered) == 0 {
			return
		}
		cells := r.cells(mounted, registered)
		require.LessOrEqual(t, len(cells), 8)
		require.LessOrEqual(t, bits.Len(uint(len(cells)-1)), 3)
		for _, size := range cells {
			require.GreaterOrEqual(t, 8*size, len(r.outcomes))
		}
	})
}

// Two templates that are sound alone can be unsound together: the second is refused.
func TestRegistrationJudgesTemplatesTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		templates, p, _ := program(t, 2)
		for _, one := range templates {
			one.Class, one.NotFound, one.Withheld = governance.ClassOrdinary, governance.ToldMerged, governance.ToldMerged
		}
		preds := []int{0, 1}
		r := &roster{absent: make([]bool, 100), withheld: make([]bool, 100)}
		for i := range 100 {
			var o uint64
			if i < 50 {
				o |= 1
			}
			if i >= 5 && i < 55 { // five have the first alone, five the second alone
				o |= 2
			}
			r.outcomes = append(r.outcomes, o)
		}
		reg := register(&governance.Dataset{}, templates, p, r.refinement(preds), preds, 125)
		require.Equal(t, map[string]bool{"t-f0": true, "t-f1": false}, reg.Templates)
	})
}

func TestRegistrationEdges(t *testing.T) {
	ref := func(yes, no, absent, withheld int64) *lookup.Refinement {
		r := &lookup.Refinement{Universe: yes + no + absent + withheld}
		for _, c := range []lookup.CellCount{{Pattern: 1, Count: yes}, {Count: no}, {Absent: true, Count: absent}, {Withheld: true, Count: withheld}} {
			if c.Count > 0 {
				r.Cells = append(r.Cells, c)
			}
		}
		return r
	}
	one := []*governance.Template{{ID: "t", Kind: governance.KindEquals, Class: governance.ClassOrdinary, Field: "f", Value: "true",
		NotFound: governance.ToldDistinct, Withheld: governance.ToldDistinct}}
	schema := arrow.NewSchema([]arrow.Field{{Name: "rid", Type: arrow.BinaryTypes.String}, {Name: "f", Type: arrow.FixedWidthTypes.Boolean}}, nil)
	p, err := lookup.Compile(predicates(one), schema, lookup.Subject{Field: "rid", Identifier: identifier.ResidentID})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		ref *lookup.Refinement
		ok  bool
	}{
		"no roster":              {nil, false},
		"empty roster":           {ref(0, 0, 0, 0), false},
		"exactly an eighth":      {ref(100, 700, 0, 0), true},
		"one less":               {ref(99, 701, 0, 0), false},
		"all yes tells nothing":  {ref(800, 0, 0, 0), false},
		"no is rare":             {ref(701, 99, 0, 0), false},
		"absent fill up no":      {ref(701, 50, 49, 0), false},
		"absent merged into no":  {ref(700, 50, 50, 0), true},
		"absent told apart":      {ref(600, 100, 100, 0), true},
		"no is rare beside them": {ref(601, 99, 100, 0), false},
		"withheld told apart":    {ref(600, 100, 0, 100), true},
		"few withheld merged":    {ref(700, 50, 0, 50), true},
	} {
		reg := register(&governance.Dataset{}, one, p, c.ref, []int{0}, 125)
		require.Equal(t, c.ok, reg.Templates["t"], name)
	}
}
