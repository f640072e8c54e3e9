package release

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
)

// population is a table together with the contributions it was computed from.
type population struct {
	result        *compute.Result
	contributions [][]int64 // by cell, one a subject
}

func populations(minCells, maxCells int) *rapid.Generator[*population] {
	return rapid.Custom(func(t *rapid.T) *population {
		p := &population{result: &compute.Result{
			GroupBy: []string{"g"}, Measures: []compute.Measure{{Kind: compute.Count}, {Kind: compute.Sum, Field: "v"}},
		}}
		grouped := rapid.Bool().Draw(t, "grouped")
		n := rapid.IntRange(minCells, maxCells).Draw(t, "cells")
		if !grouped {
			p.result.GroupBy, n = nil, 1
		}
		for i := range n {
			values := rapid.SliceOfN(rapid.OneOf(rapid.Just(int64(1)), rapid.Int64Range(0, 100)), 0, 40).Draw(t, "values")
			if grouped && len(values) == 0 {
				values = []int64{0}
			}
			p.contributions = append(p.contributions, values)
			p.result.Cells = append(p.result.Cells, cellOf(i, values))
			p.result.Subjects += int64(len(values))
		}
		p.result.UniverseSubjects = p.result.Subjects + rapid.Int64Range(0, 30).Draw(t, "filtered out")
		return p
	})
}

// cellOf makes a cell whose shown figures are unmistakable: "shown-i-count".
func cellOf(i int, values []int64) compute.Cell {
	c := compute.Cell{Keys: []string{fmt.Sprintf("k%03d", i)}, Subjects: int64(len(values)), Records: int64(len(values))}
	var total, first, second int64
	for _, v := range values {
		total += v
		if v > first {
			first, second = v, first
		} else if v > second {
			second = v
		}
	}
	c.Values = []compute.Value{{Text: fmt.Sprintf("figure-%03d-count", i)}, {Text: fmt.Sprintf("figure-%03d-sum", i)}}
	share := compute.Share{Subjects: int64(len(values)), Total: big.NewInt(total), Largest: big.NewInt(first), Second: big.NewInt(second)}
	c.TopShares = []compute.Share{share, share}
	return c
}

// mustHide is what the regulation of exact tables says of one cell, word for word.
func (p *population) mustHide(i int) bool {
	values := p.contributions[i]
	in := int64(len(values))
	if in < 10 || p.result.UniverseSubjects-in < 10 {
		return true
	}
	if len(p.result.GroupBy) > 0 && p.result.Subjects-in < 10 {
		return true
	}
	var total int64
	for _, v := range values {
		total += v
	}
	for a, v := range values {
		if 2*v > total {
			return true
		}
		for b, w := range values {
			if a != b && 100*(v+w) > 67*total {
				return true
			}
		}
	}
	return false
}

func TestSuppressionAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := populations(1, 12).Draw(t, "population")
		ev := suppressSmall(p.result, MinimumSubjects)
		require.Len(t, ev, len(p.result.Cells))
		var withheld, hidden, needed int
		for i := range ev {
			if p.mustHide(i) {
				needed++
				require.True(t, ev[i].Withheld, "cell %d of %d subjects is shown", i, len(p.contributions[i]))
			}
			if ev[i].Withheld {
				withheld++
				hidden += len(p.contributions[i])
			}
		}
		all := withheld == len(ev)
		switch {
		case needed == 0:
			require.Zero(t, withheld, "nothing has to be hidden, so nothing is")
		case !all:
			require.GreaterOrEqual(t, withheld, 2, "one withheld cell is the total less the others")
			require.GreaterOrEqual(t, hidden, MinimumSubjects)
		}
		requireMinimal(t, p, ev)
	})
}

// dominatedWithout says that one subject would make most of a sum over the withheld cells if one of the
// extra cells of the given size were shown.
func (p *population) dominatedWithout(ev []CellEvidence, size int64) bool {
	for i := range ev {
		if ev[i].Withheld && ev[i].Subjects == size && !p.mustHide(i) {
			less := slices.Clone(ev)
			less[i].Withheld = false
			if unionDominated(p.result, less) {
				return true
			}
		}
	}
	return false
}

// requireMinimal says that only as many further cells were hidden as are needed, smallest first.
func requireMinimal(t *rapid.T, p *population, ev []CellEvidence) {
	largestExtra, smallestShown := int64(-1), int64(1<<62)
	var cells, hidden int64
	for i, e := range ev {
		switch {
		case !e.Withheld:
			smallestShown = min(smallestShown, e.Subjects)
		default:
			cells++
			hidden += e.Subjects
			if !p.mustHide(i) {
				largestExtra = max(largestExtra, e.Subjects)
			}
		}
	}
	require.LessOrEqual(t, largestExtra, smallestShown)
	if largestExtra >= 0 {
		require.True(t, cells-1 < 2 || hidden-largestExtra < MinimumSubjects || p.dominatedWithout(ev, largestExtra), "one cell less would have done")
	}
}

func TestWhatIsWithheldIsNotInTheBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := populations(1, 12).Draw(t, "population")
		ev := suppressSmall(p.result, MinimumSubjects)
		text := string(tableBody(p.result, ev).appendCanonical(nil))
		for i := range ev {
			require.Equal(t, !ev[i].Withheld, strings.Contains(text, fmt.Sprintf("figure-%03d", i)))
			require.Contains(t, text, fmt.Sprintf("k%03d", i), "the group itself stays")
		}
		for _, word := range []string{"Subjects", "Complement", "Dominated", "Largest", "Total"} {
			require.NotContains(t, text, word)
		}
		back, err := parseCanonical(FormExactTable, []byte(text))
		require.NoError(t, err)
		require.Equal(t, text, string(back.appendCanonical(nil)))
	})
}

// A withheld cell of one subject and one of nine look the same.
func TestWithheldCellsDoNotSayHowSmall(t *testing.T) {
	render := func(small int) string {
		values := func(n int) []int64 {
			out := make([]int64, n)
			for i := range out {
				out[i] = 1
			}
			return out
		}
		r := &compute.Result{GroupBy: []string{"g"}, Measures: []compute.Measure{{Kind: compute.Count}}, Subjects: 100, UniverseSubjects: 100}
		for i, n := range []int{small, 30, 40} {
			c := cellOf(i, values(n))
			c.Values, c.TopShares = c.Values[:1], c.TopShares[:1]
			r.Cells = append(r.Cells, c)
		}
		return string(tableBody(r, suppressSmall(r, MinimumSubjects)).appendCanonical(nil))
	}
	for n := 2; n < MinimumSubjects; n++ {
		require.Equal(t, render(1), render(n))
	}
	require.NotEqual(t, render(1), render(MinimumSubjects))
	require.EqualValues(t, MinimumSubjects, governance.DefaultSettings().MinimumSubjects)
}

func TestSmallestMeasureCounts(t *testing.T) {
	// Twenty subjects of whom nine have a value: the mean is over nine.
	c := cellOf(0, make([]int64, 20))
	c.TopShares[1].Subjects = 9
	r := &compute.Result{Measures: []compute.Measure{{Kind: compute.Count}, {Kind: compute.Mean, Field: "v"}}, Cells: []compute.Cell{c}, Subjects: 20, UniverseSubjects: 100}
	require.True(t, suppressSmall(r, MinimumSubjects)[0].Withheld)
	r.Measures[1].Kind = compute.Count
	require.False(t, suppressSmall(r, MinimumSubjects)[0].Withheld)
}

func TestDominanceEdges(t *testing.T) {
	fifty := append(make([]int64, 10), 50, 25, 25)
	for name, c := range map[string]struct {
		values []int64
		hide   bool
	}{
		"half is not more than half": {append(make([]int64, 8), 50, 10, 10, 10, 10, 10), false},
		"more than half":             {append(make([]int64, 8), 51, 10, 10, 10, 10, 9), true},
		"two make 67":                {append(make([]int64, 8), 40, 27, 11, 11, 11), false},
		"two make 68":                {append(make([]int64, 8), 40, 28, 11, 11, 10), true},
		"two make 75":                {fifty, true},
		"all zero":                   {make([]int64, 12), false},
	} {
		r := &compute.Result{Measures: []compute.Measure{{Kind: compute.Count}, {Kind: compute.Sum, Field: "v"}},
			Cells: []compute.Cell{cellOf(0, c.values)}, Subjects: 12, UniverseSubjects: 100}
		require.Equal(t, c.hide, suppressSmall(r, MinimumSubjects)[0].Withheld, name)
	}
}

func TestNullGroupKeyIsShownAsASymbol(t *testing.T) {
	require.Equal(t, []string{"\u2400", "", "\x00null", "x"},
		ShownKeys([]string{compute.NullKey, "", compute.TextKey("\x00null"), "x"}))
}

func FuzzParseCanonical(f *testing.F) {
	for _, b := range []Body{
		Answer{Code: Yes}, Batch{Codes: []Code{No, Match}}, Masked{Output: "a", K: 5},
		Table{GroupBy: []string{"g"}, Measures: []string{"count"}, Cells: []Cell{{Keys: []string{"k"}, Values: []string{"1"}}}},
	} {
		f.Add(uint8(b.Form()), b.appendCanonical(nil))
	}
	f.Add(uint8(0), []byte("null"))
	f.Add(uint8(FormMaskedTable), []byte(`{"file_sm3":"`+strings.Repeat("00", 33)+`"}`))
	f.Fuzz(func(t *testing.T, form uint8, text []byte) {
		b, err := parseCanonical(Form(form), text)
		if err != nil {
			require.ErrorIs(t, err, ErrStored)
			return
		}
		require.Equal(t, Form(form), b.Form())
		once := b.appendCanonical(nil)
		again, err := parseCanonical(Form(form), once)
		require.NoError(t, err)
		require.Equal(t, string(once), string(again.appendCanonical(nil)))
	})
}

// plainSealer stands for a seal that always opens, so that what is behind it meets hostile bytes.
type plainSealer struct{}

func (plainSealer) Seal(dst, _, plain []byte) ([]byte, error)  { return append(dst, plain...), nil }
func (plainSealer) Open(dst, _, sealed []byte) ([]byte, error) { return append(dst, sealed...), nil }

func FuzzParseBody(f *testing.F) {
	g := &Gate{o: Options{Seal: plainSealer{}}}
	c := &Candidate{body: Answer{Code: Yes}, canonical: []byte(`{"answer":10}`)}
	b, err := g.appendBody(nil, c, &opening{}, &audit.Hash{})
	require.NoError(f, err)
	_, _, _, err = g.parseBody(b, &audit.Hash{})
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte{2, 0, 0, 0, 3, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		form, o, canonical, err := g.parseBody(b, &audit.Hash{})
		if err != nil {
			require.ErrorIs(t, err, ErrStored)
			return
		}
		c := &Candidate{body: bodyOf(form), canonical: canonical}
		again, err := g.appendBody(nil, c, o, &audit.Hash{})
		require.NoError(t, err)
		require.Equal(t, b[1:], again[1:])
	})
}

func bodyOf(f Form) Body {
	if f == FormBatch {
		return Batch{}
	}
	return Answer{}
}
