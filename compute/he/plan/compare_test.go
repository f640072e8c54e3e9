package plan_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he/plan"
)

func TestChangesAreCountedInTheAtomThatChangedLeast(t *testing.T) {
	k := newKeys(t, smallParams(t, false), "people")
	before := crowd(400)
	compare := func(change func(list []person) []person) uint64 {
		after := change(slices.Clone(before))
		n, err := plan.CompareVersions(context.Background(), peopleSpec(k), table(t, people, rowsOf(t, before)), table(t, people, rowsOf(t, after)))
		require.NoError(t, err)
		return n
	}
	require.Zero(t, compare(func(l []person) []person { return l }))
	require.Zero(t, compare(func(l []person) []person { slices.Reverse(l[:200]); return l }), "another order")
	require.Equal(t, uint64(1), compare(func(l []person) []person { l[5].Owner = !l[5].Owner; return l }))
	require.Equal(t, uint64(1), compare(func(l []person) []person { return l[1:] }), "one is gone")
	more := func(l []person, from, n int) []person {
		for i := range n {
			p := l[from]
			p.ID = fmt.Sprint("new", from+i)
			l = slices.Insert(l, from, p)
		}
		return l
	}
	require.Equal(t, uint64(12), compare(func(l []person) []person { return more(l, 3, 12) }), "twelve of one district, sex and age known")
	// Twenty in the city, one of them in the other district: one.
	require.Equal(t, uint64(1), compare(func(l []person) []person { return more(more(l, 203, 1), 3, 19) }))
	spec := peopleSpec(k)
	spec.Subject, spec.RowSubjects = "", true
	_, err := plan.CompareVersions(context.Background(), spec, table(t, people, rowsOf(t, before)), table(t, people, rowsOf(t, before)))
	require.ErrorIs(t, err, plan.ErrInvalid)
	bad := slices.Clone(before)
	bad[9].District = "east\n"
	_, err = plan.CompareVersions(context.Background(), peopleSpec(k), table(t, people, rowsOf(t, before)), table(t, people, rowsOf(t, bad)))
	require.ErrorIs(t, err, plan.ErrSource)
}
