package agent

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he/plan"
)

// Without a policy a plan waits, checked, for a person, who sees it in words.
func TestAPersonDecides(t *testing.T) {
	w, _ := ready(t)
	first, err := w.ask(nil)
	require.NoError(t, err)
	w.settle(holders...)
	a := w.agents["auditor"]
	a.o.Policy = nil
	yesQuery, err := w.ask(func(q *plan.Query) { q.Purpose = "second" })
	require.NoError(t, err)
	noQuery, err := w.ask(func(q *plan.Query) { q.Purpose = "third" })
	require.NoError(t, err)
	require.NoError(t, round(a))
	list, err := a.Questions(context.Background(), "en")
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, q := range list {
		require.Contains(t, q.Words, "the sum")
		require.Equal(t, ruleNoPolicy, q.Rule)
		require.Len(t, q.Earlier, 1)
		require.Equal(t, uint64(300), q.Minimum)
	}
	require.NoError(t, a.Decide(yesQuery, true))
	require.NoError(t, a.Decide(noQuery, false))
	require.Error(t, a.Decide(first, true))
	require.NoError(t, round(a))
	require.Equal(t, Approved, a.book.Queries[yesQuery].Stage)
	require.Equal(t, Refused, a.book.Queries[noQuery].Stage)
	require.Equal(t, RuleByHand, a.book.Queries[noQuery].Rule)
	st, err := ReadStatus(w.dirs["auditor"], w.ids["auditor"])
	require.NoError(t, err)
	require.Equal(t, a.Status(), st)
	require.Len(t, st.Queries, 3)
}

func TestPolicyAllowsWhatItNames(t *testing.T) {
	p, err := ParsePolicy([]byte("requesters: [bank]\naggregates: [a]\nscenarios: [s]\nminimum_subjects: 20\nhours: {from: 8, until: 18}\n"))
	require.NoError(t, err)
	noon := time.Date(2026, 5, 4, 4, 0, 0, 0, time.UTC) // 12:00 in UTC+08:00
	q, of := &plan.Query{Requester: "bank", Aggregate: "a", Scenario: "s"}, &plan.Plan{Minimum: 20}
	require.Empty(t, p.allows(q, of, noon))
	require.Equal(t, ruleHours, p.allows(q, of, noon.Add(6*time.Hour)))
	require.Equal(t, ruleHours, p.allows(q, of, noon.Add(-5*time.Hour)))
	require.Equal(t, ruleMinimum, p.allows(q, &plan.Plan{Minimum: 19}, noon))
	require.Equal(t, ruleParty, p.allows(&plan.Query{Requester: "x", Aggregate: "a", Scenario: "s"}, of, noon))
	require.Equal(t, ruleAsked, p.allows(&plan.Query{Requester: "bank", Aggregate: "x", Scenario: "s"}, of, noon))
	require.Equal(t, ruleParty, (&Policy{}).allows(q, of, noon), "empty lists allow nothing")
	for _, bad := range []string{"", "requesters: bank\n", "other: 1\n", "hours: {from: 9, until: 9}\n", "hours: {from: -1, until: 9}\n", "hours: {from: 1, until: 25}\n", "{}\n---\n{}\n"} {
		_, err := ParsePolicy([]byte(bad))
		require.ErrorIs(t, err, ErrPolicy, bad)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("requesters: [bank]\nhours: {from: 8, until: 18}\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = ParsePolicy(b) })
}

func FuzzParseBook(f *testing.F) {
	f.Add([]byte(`{"counter":1,"log":{"size":1,"nodes":[[1]]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if book, err := parseBook(b); err == nil {
			require.NotNil(t, book.status("x"))
		}
	})
}
