package release_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
)

// says checks that a statement is of these facts and of the policy in force, and of nothing earlier.
func (w *world) says(o *release.Opened, f *release.Facts) {
	s, err := receipt.ParseStatement([]byte(statementOf(w.t, o.Receipt)))
	require.NoError(w.t, err)
	hash := w.policy.Load().Hash
	require.Equal(w.t, hex.EncodeToString(hash[:]), s.Policy)
	require.Equal(w.t, f.Dataset, s.Dataset)
	require.Equal(w.t, f.Technique, s.Technique)
	require.Equal(w.t, f.Ask.Query, s.Query)
	require.Equal(w.t, f.BudgetLimit, s.Budget.Limit)
	require.Equal(w.t, o.Serial, s.Serial)
	w.verifies(o)
}

func (w *world) answer(f release.Facts, ev release.Evidence) *release.Opened {
	c, err := release.Prepare(f, release.Answer{Code: release.Yes}, ev, []release.Row{release.Row(personRow)}, w.hold(nil))
	require.NoError(w.t, err)
	return w.redeem(c)
}

// What is rendered once for many answers is rendered anew when anything it was made of is another.
func TestAStatementNeverKeepsWhatHasChanged(t *testing.T) {
	w := newWorld(t)
	registered := release.Evidence{Registered: true}
	for range 2 { // the second round meets what the first has left
		f := w.facts(governance.ActVerify, "owns-home")
		w.says(w.answer(f, registered), &f)
		for _, change := range []func(*release.Facts){
			func(f *release.Facts) { f.Dataset.Version = "2026-11" },
			func(f *release.Facts) { f.Dataset.AsOf = "2026-11-30" },
			func(f *release.Facts) { f.Dataset.Source = "别局" },
			func(f *release.Facts) { f.Technique.Name = "other" },
			func(f *release.Facts) { f.Technique.Params = map[string]string{"k": "w"} },
			func(f *release.Facts) { f.Technique.Params = map[string]string{"k": "v", "l": "v"} },
			func(f *release.Facts) { f.Technique.Params["k"] = "altered in place" },
			func(f *release.Facts) { f.BudgetLimit++ },
		} {
			f := w.facts(governance.ActVerify, "owns-home")
			change(&f)
			w.says(w.answer(f, registered), &f)
		}
		o := w.answer(f, release.Evidence{Registered: true, ShareExempt: true})
		require.Contains(t, statementOf(t, o.Receipt), `"exempt"`)
		o = w.answer(f, registered)
		require.NotContains(t, statementOf(t, o.Receipt), `"exempt"`)
	}
	f := w.facts(governance.ActVerify, "owns-home")
	before := w.answer(f, registered)
	w.policy.Store(signedPolicy(t)) // the same words under other keys
	f = w.facts(governance.ActVerify, "owns-home")
	after := w.answer(f, registered)
	w.says(after, &f)
	was, err := receipt.ParseStatement([]byte(statementOf(t, before.Receipt)))
	require.NoError(t, err)
	is, err := receipt.ParseStatement([]byte(statementOf(t, after.Receipt)))
	require.NoError(t, err)
	require.NotEqual(t, was.Policy, is.Policy)

	// A suspension stops what the drafts were made for, permits already given included.
	c, err := release.Prepare(f, release.Answer{Code: release.Yes}, registered, []release.Row{release.Row(personRow)}, w.hold(nil))
	require.NoError(t, err)
	p := w.permit(c)
	w.suspend()
	size := w.log.Size()
	_, err = w.gate.Redeem(context.Background(), p)
	var refusal *governance.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, governance.Suspended, refusal.Rule)
	require.Equal(t, size, w.log.Size())
}

// Frames are written into space that is used again: what one call leaves there reaches no other call's
// receipt and no frame.
func TestFramesShareNothing(t *testing.T) {
	w := newWorld(t)
	facts := w.facts(governance.ActVerify, "owns-home")
	var group sync.WaitGroup
	var mu sync.Mutex
	seen := map[audit.Hash]bool{}
	for i := range 16 {
		group.Go(func() {
			for j := range 6 {
				row := fmt.Appendf(nil, `{"name":"","number":"%d-%d","phone":""}`, i, j)
				f := facts
				f.Dataset.Version = fmt.Sprint(i % 3)
				c, err := release.Prepare(f, release.Answer{Code: release.Yes}, release.Evidence{Registered: true}, []release.Row{row}, w.hold(nil))
				require.NoError(t, err)
				o := w.redeem(c)
				mu.Lock()
				w.verifies(o)
				require.Contains(t, string(o.Result), fmt.Sprintf("%d-%d", i, j))
				seen[audit.StatementHash([]byte(statementOf(t, o.Receipt)))] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	require.Len(t, seen, 96)
	for frame, err := range w.log.Frames(context.Background(), 0) {
		require.NoError(t, err)
		require.True(t, seen[frame.Entry.Statement])
		require.Equal(t, frame.Entry.Statement, audit.StatementHash(frame.Text))
	}
}
