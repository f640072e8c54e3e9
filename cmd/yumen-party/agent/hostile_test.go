package agent

import (
	"context"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/keyring"
)

func round(a *Agent) error { return a.Round(context.Background(), 0) }

// A gateway that repeats and reorders what it relays only delays.
func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := newTown(t)
	w.gate.shuffle = func(out *apiv1.PollResponse) {
		out.Events = append(out.Events, out.GetEvents()...)
		r.Shuffle(len(out.Events), func(i, j int) { out.Events[i], out.Events[j] = out.Events[j], out.Events[i] })
	}
	id := w.propose()
	w.settle()
	require.Equal(t, Done, w.agents["auditor"].book.Ceremonies[id].Stage)
	w.provide(300)
	query, err := w.ask(nil)
	require.NoError(t, err)
	w.settle()
	require.Equal(t, map[string]Stage{"authority": Answered, "exchange": Answered, "auditor": Answered}, w.stages(query))
}

// A release that is only said, and not in the log, opens nothing.
func TestNoAnswerWithoutTheReleaseInTheLog(t *testing.T) {
	w, _ := ready(t)
	w.gate.early = true
	query, err := w.ask(nil)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, round(w.agents["authority"]))
	}
	note := w.agents["authority"].book.Queries[query]
	require.True(t, note.Released)
	require.Equal(t, Approved, note.Stage)
	require.Nil(t, note.Answer)
}

// A query that is shown but not in the log is not approved.
func TestNoApprovalOfAQueryOutsideTheLog(t *testing.T) {
	w, _ := ready(t)
	query, err := w.ask(nil)
	require.NoError(t, err)
	a := w.agents["authority"]
	statement := Hash(encrypted.EntryStatement(apiv1.ObjectKind_OBJECT_KIND_QUERY, query))
	w.gate.hide = func(string, *apiv1.Event) bool { return true }
	require.NoError(t, round(a))
	require.NoError(t, a.follow(context.Background()))
	require.Contains(t, a.book.Unexplained, statement, "the entry shows that something is hidden")
	require.Empty(t, a.book.Queries)
}

// A log that is not what was seen before stops the holder.
func TestForkedLogStopsTheHolder(t *testing.T) {
	w, _ := ready(t)
	f := w.gate
	dir := t.TempDir()
	other, err := audit.Open(context.Background(), audit.Options{
		Dir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "second"), Origin: "yumen/test", KeyName: "yumen",
		Signer: logSigner{f.key}, Clock: time.Now,
		Verify: func(msg, sig []byte) bool { return f.key.Public().Verify(keyring.Checkpoint, msg, sig) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close() })
	short := true
	for range 2 {
		query, err := w.ask(func(q *plan.Query) { q.Time -= int64(map[bool]int{true: 0, false: 1}[short]) })
		require.NoError(t, err)
		real := f.log
		for i := uint64(0); !short && i < real.Size(); i++ {
			_, err := other.Append(context.Background(), audit.Record{Kind: audit.Genesis, Time: 2})
			require.NoError(t, err)
		}
		if short {
			_, err := other.Append(context.Background(), audit.Record{Kind: audit.Genesis, Time: 2})
			require.NoError(t, err)
		}
		f.log = other
		require.ErrorIs(t, round(w.agents["authority"]), encrypted.ErrForked)
		require.Equal(t, Pending, w.agents["authority"].book.Queries[query].Stage)
		f.log, short = real, false
	}
}

// The gateway's openings are compared with those of the own leaves.
func TestOtherOpeningsAreRefused(t *testing.T) {
	w, _ := ready(t)
	w.gate.hide = func(_ string, e *apiv1.Event) bool {
		if e.GetKind() == apiv1.ObjectKind_OBJECT_KIND_OPENINGS {
			e.Hash[0] ^= 1
		}
		return false
	}
	query, err := w.ask(nil)
	require.NoError(t, err)
	require.NoError(t, round(w.agents["authority"]))
	note := w.agents["authority"].book.Queries[query]
	require.Equal(t, Refused, note.Stage)
	require.Equal(t, RuleRecomputed, note.Rule)
	require.Nil(t, note.Approval)
}

// Leaves that are not those the provider signed do not come into the own copy as such.
func TestOtherLeavesAreNotComputedOn(t *testing.T) {
	w, _ := ready(t)
	query, err := w.ask(nil)
	require.NoError(t, err)
	of := func(lane string) map[uint32][]byte {
		return w.gate.leaves[encrypted.Place{Dataset: "people", Version: "2026-01", Lane: lane}]
	}
	maps.Copy(of("age"), of("age2")) // the leaves of another lane: right form, wrong place
	require.NoError(t, round(w.agents["authority"]))
	note := w.agents["authority"].book.Queries[query]
	require.NotEqual(t, Approved, note.Stage)
	require.Nil(t, note.Approval)
}

func TestForeignQueriesAreRefused(t *testing.T) {
	w, _ := ready(t)
	w.ids["bank"].Request = w.ids["bureau"].Request // signed by somebody else
	query, err := w.ask(nil)
	require.NoError(t, err)
	require.NoError(t, round(w.agents["authority"]))
	require.Equal(t, RuleRequester, w.agents["authority"].book.Queries[query].Rule)
}

// A proposal that is not the authority's, or names other keys for a holder, is refused.
func TestForeignProposalsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*town){
		"authority": func(w *town) { w.parties.Authority = "exchange" },
		"keys": func(w *town) {
			other := *w.parties
			other.List = slices.Clone(w.parties.List)
			other.Find("auditor").Agent, other.Find("auditor").Envelope = other.Find("bank").Agent, other.Find("bank").Envelope
			w.agents["exchange"].o.Parties = &other
		},
	} {
		w := newTown(t)
		id := w.propose()
		change(w)
		require.NoError(t, round(w.agents["exchange"]))
		require.Equal(t, Refused, w.agents["exchange"].book.Ceremonies[id].Stage, name)
		require.Nil(t, w.agents["exchange"].machines[id])
	}
	w := newTown(t)
	_, err := w.agents["exchange"].Propose(context.Background(), Terms{Use: ceremony.UseAdd, Holders: holders, Threshold: 2})
	require.ErrorIs(t, err, encrypted.ErrTrust)
}

// Altered ceremony messages end nothing and reveal nothing: they are not taken.
func TestAlteredCeremonyMessagesAreNotTaken(t *testing.T) {
	w := newTown(t)
	id := w.propose()
	w.gate.lie = func(k encrypted.Kind, b []byte) []byte {
		if k == apiv1.ObjectKind_OBJECT_KIND_CEREMONY {
			b = append([]byte(nil), b...)
			b[len(b)/2] ^= 1
		}
		return b
	}
	for range 3 {
		for _, h := range holders {
			require.NoError(t, round(w.agents[h]))
		}
	}
	for _, h := range holders {
		require.Equal(t, Running, w.agents[h].book.Ceremonies[id].Stage, h)
	}
}
