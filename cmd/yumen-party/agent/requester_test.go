package agent

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

func requireSum(t *testing.T, want *big.Int, out *encrypted.Outcome) {
	t.Helper()
	found := false
	out.Exact(func(_, name string, exact *big.Rat, _ string) {
		if name == "sum" {
			found = true
			require.Zero(t, exact.Cmp(new(big.Rat).SetInt(want)))
		}
	})
	require.True(t, found)
}

func TestRequesterReadsTheSum(t *testing.T) {
	w, sum := ready(t)
	q, _, err := w.query(nil)
	require.NoError(t, err)
	w.settle("authority", "auditor") // the exchange is away
	out, err := w.follow(q)
	require.NoError(t, err)
	requireSum(t, sum, out)
	require.Equal(t, []string{"authority", "auditor"}, out.Holders)
	require.Empty(t, out.Cheaters)
	require.NotEmpty(t, out.Lines())
}

func TestRequesterWaitsForEnoughHolders(t *testing.T) {
	w, _ := ready(t)
	q, _, err := w.query(nil)
	require.NoError(t, err)
	w.settle("authority")
	_, err = w.follow(q)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestRequesterIsToldTheRuleOfARefusal(t *testing.T) {
	w, _ := ready(t)
	q, _, err := w.query(nil)
	require.NoError(t, err)
	w.gate.rule = "plan-refused"
	var refused *encrypted.RefusedError
	_, err = w.follow(q)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "plan-refused", refused.Rule)
}

// A receipt of another question, party, plan or list, or one that does not hold, ends
// everything before a number is made.
func TestRequesterTakesNoOtherReceipt(t *testing.T) {
	for name, lie := range map[string]func(*fake){
		"party":    func(f *fake) { f.issue = func(s *receipt.Statement) { s.Party = "other" } },
		"scenario": func(f *fake) { f.issue = func(s *receipt.Statement) { s.Scenario = "other" } },
		"kind":     func(f *fake) { f.issue = func(s *receipt.Statement) { s.Kind = receipt.KindTable } },
		"aggregate": func(f *fake) {
			f.issue = func(s *receipt.Statement) { s.Query = "other" }
		},
		"query": func(f *fake) {
			f.sayOf = func(s string) string {
				i := strings.LastIndex(s, `"query":"`) + 9
				return s[:i] + strings.Repeat("0", 64) + s[i+64:]
			}
		},
	} {
		w, _ := ready(t)
		lie(w.gate)
		q, _, err := w.query(nil)
		require.NoError(t, err)
		w.settle(holders...)
		_, err = w.follow(q)
		require.ErrorIs(t, err, encrypted.ErrReceipt, name)
	}
	w, _ := ready(t)
	q, hash, err := w.query(nil)
	require.NoError(t, err)
	w.settle(holders...)
	w.gate.files[hash].Result[len(w.gate.files[hash].GetResult())/2] ^= 1
	_, err = w.follow(q)
	require.ErrorIs(t, err, encrypted.ErrReceipt, "altered")
}

// falseAnswer makes an answer of a holder whose shares are changed.
func (w *town) falseAnswer(name string, hash Hash, change func([]threshold.Answer)) []byte {
	a := w.agents[name]
	note := a.book.Queries[hash]
	p, err := a.plan(context.Background(), note.Plan)
	require.NoError(w.t, err)
	params := w.params[p.Parameters]
	openings, err := w.gate.dial(name).Openings(context.Background(), params, note.Openings)
	require.NoError(w.t, err)
	share, err := threshold.ParseShare(params, a.book.Keys[Hash(p.Keys[0].Key)].Share)
	require.NoError(w.t, err)
	parts, err := share.Open(openings)
	require.NoError(w.t, err)
	change(parts)
	plain, err := threshold.MarshalAnswers(params, share.Sharing(), share.Holder(), note.Openings, parts)
	require.NoError(w.t, err)
	word := &wire.Answer{Query: hash, Plan: note.Plan, Openings: note.Openings, Holder: name}
	word.Sealed, err = keyring.SealTo(w.ids["bank"].Envelope.Public(), word.Context(), plain, rand.Reader)
	require.NoError(w.t, err)
	msg, err := word.SigningBytes()
	require.NoError(w.t, err)
	word.Signature, err = w.ids[name].Agent.Sign(msg)
	require.NoError(w.t, err)
	b, err := word.Bytes()
	require.NoError(w.t, err)
	return b
}

func TestRequesterNamesTheCheater(t *testing.T) {
	w, sum := ready(t)
	q, hash, err := w.query(nil)
	require.NoError(t, err)
	require.NoError(t, w.agents["auditor"].Round(context.Background(), 0))
	b := w.falseAnswer("auditor", hash, func(list []threshold.Answer) { list[0].Parts[0].Value[0] ^= 1 })
	_, err = w.gate.dial("auditor").Put(context.Background(), apiv1.ObjectKind_OBJECT_KIND_ANSWER, b)
	require.NoError(t, err)
	w.settle("authority")
	_, err = w.follow(q) // two, of whom one answers falsely: nobody can tell which
	require.ErrorIs(t, err, context.DeadlineExceeded)
	w.settle("authority", "exchange")
	out, err := w.follow(q)
	require.NoError(t, err)
	requireSum(t, sum, out)
	require.Equal(t, []string{"auditor"}, out.Cheaters)
	require.Equal(t, []string{"authority", "exchange"}, out.Holders)
}

// Answers that the gateway moves to another query, or makes up, are refused.
func TestRequesterTakesNoForeignAnswer(t *testing.T) {
	w, _ := ready(t)
	_, first, err := w.query(nil)
	require.NoError(t, err)
	w.settle(holders...)
	q, second, err := w.query(func(q *plan.Query) { q.Purpose = "another" })
	require.NoError(t, err)
	w.settle(holders...)
	w.gate.told[second] = w.gate.told[first]
	_, err = w.follow(q)
	require.ErrorIs(t, err, encrypted.ErrAnswer)
}

// Whatever object the gateway alters, no number comes of it.
func TestRequesterTakesNoAlteredObject(t *testing.T) {
	w, sum := ready(t)
	q, _, err := w.query(nil)
	require.NoError(t, err)
	w.settle(holders...)
	for _, kind := range []encrypted.Kind{apiv1.ObjectKind_OBJECT_KIND_PLAN, apiv1.ObjectKind_OBJECT_KIND_CERTIFICATE,
		apiv1.ObjectKind_OBJECT_KIND_OPENINGS, apiv1.ObjectKind_OBJECT_KIND_ANSWER} {
		for _, at := range []int{0, 9, 40, 100} {
			w.gate.lie = func(k encrypted.Kind, b []byte) []byte {
				if k == kind {
					b = append([]byte(nil), b...)
					b[at%len(b)] ^= 4
				}
				return b
			}
			_, err := w.follow(q)
			require.Error(t, err, "%s byte %d", encrypted.Name(kind), at)
		}
	}
	w.gate.lie = nil
	out, err := w.follow(q)
	require.NoError(t, err)
	requireSum(t, sum, out)
}
