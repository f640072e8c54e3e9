package release_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/release"
)

// BenchmarkGate is what the gate itself costs a verification: the decision, the rules, and the decision
// again before the spend. No look-up, hashing, log or encoding.
func BenchmarkGate(b *testing.B) {
	w := newWorld(b)
	c, _ := w.candidate(release.Yes)
	ask, ctx, now := c.Facts().Ask, context.Background(), noon.UnixMilli()
	b.ReportAllocs()
	for b.Loop() {
		if _, refusal := w.policy.Load().Decide(ask); refusal != nil {
			b.Fatal(refusal)
		}
		if _, p, err := w.gate.Assess(ctx, c); err != nil || p == nil {
			b.Fatal(err)
		}
		if _, err := w.gate.StillAllowed(c, now); err != nil {
			b.Fatal(err)
		}
	}
}

// fixedLog answers at once what a log of a million entries would.
type fixedLog struct {
	*audit.Log
	out *audit.Appended
}

func (l *fixedLog) Append(_ context.Context, r audit.Record) (*audit.Appended, error) {
	entry := audit.Entry{Kind: r.Kind, Time: r.Time, Statement: r.Statement, Private: audit.PrivateHash(len(r.Stated.Text()), r.Private)}
	out := *l.out
	out.Entry = entry.AppendTo(nil)
	return &out, nil
}

// BenchmarkRedeem is what it costs to make a release of a permit, the log's own work aside: the second
// decision, commitments, statement, sealing, digests, receipt and result file.
func BenchmarkRedeem(b *testing.B) {
	var fixed *fixedLog
	w := newWorld(b, func(o *release.Options) {
		fixed = &fixedLog{Log: o.Log.(*failing).Log}
		o.Log = fixed
	})
	private, err := (&ledger.Record{}).AppendTo(nil)
	require.NoError(b, err)
	fixed.out, err = w.log.Append(context.Background(), audit.Record{Kind: audit.Outcome, Private: private})
	require.NoError(b, err)
	fixed.out.Proof = make([]audit.Hash, 20)
	key := &ledger.Idem{Time: noon.UnixMilli()}
	_, err = rand.Read(key.Key[:])
	require.NoError(b, err)
	h, err := w.ledger.Hold(context.Background(), noon.UnixMilli(), key, []ledger.Limited{{Charge: ledger.Charge{Account: quota, Amount: 1}, Limit: 100}})
	require.NoError(b, err)
	facts := w.facts(governance.ActVerify, "owns-home")
	b.ReportAllocs()
	for b.Loop() {
		c, err := release.Prepare(facts, release.Answer{Code: release.Yes}, release.Evidence{Registered: true}, []release.Row{release.Row(personRow)}, h)
		if err != nil {
			b.Fatal(err)
		}
		_, p, err := w.gate.Assess(context.Background(), c)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.gate.Redeem(context.Background(), p); err != nil {
			b.Fatal(err)
		}
	}
}
