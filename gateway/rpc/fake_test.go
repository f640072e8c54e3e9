package rpc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/gateway/rpc"
)

var noon = time.Date(2026, 10, 31, 4, 0, 0, 0, time.UTC)

// inside stands for everything behind the transport: it keeps what it was asked and answers as told.
type inside struct {
	question   *spec.Question
	job        *spec.Job
	change     *spec.Change
	destroyed  *spec.KeyDestruction
	suspension *spec.Suspension
	search     *spec.Search
	release    *release.Release
	err        error
}

func (i *inside) Answer(_ context.Context, q *spec.Question) (*release.Release, error) {
	i.question = q
	return i.release, i.err
}

func (i *inside) Submit(_ context.Context, j *spec.Job) (*spec.JobView, error) {
	i.job = j
	return &spec.JobView{ID: "j", State: spec.Queued}, i.err
}

func (i *inside) Get(context.Context, string, string) (*spec.JobView, *release.Release, error) {
	return &spec.JobView{ID: "j", State: spec.Refused, Rule: "k-anonymity"}, i.release, i.err
}

func (i *inside) Cancel(context.Context, string, string) (*spec.JobView, error) {
	return &spec.JobView{ID: "j", State: spec.Cancelled}, i.err
}

func (i *inside) List(context.Context, string) ([]*spec.JobView, error) {
	return []*spec.JobView{{ID: "j"}}, i.err
}

func (i *inside) Apply(_ context.Context, c *spec.Change) (*spec.Applied, error) {
	i.change = c
	return &spec.Applied{Epoch: 2, Findings: []spec.Registered{{Dataset: "d", Rule: "cell-share"}}}, i.err
}

func (i *inside) Suspend(_ context.Context, s *spec.Suspension) (*spec.Applied, error) {
	i.suspension = s
	return &spec.Applied{Epoch: 3}, i.err
}

func (i *inside) DestroyKey(_ context.Context, d *spec.KeyDestruction) (*spec.Applied, error) {
	i.destroyed = d
	return &spec.Applied{Entry: 9}, i.err
}

func (i *inside) Catalogue(context.Context, string) (*spec.Catalogue, error) {
	return &spec.Catalogue{Datasets: []spec.CatalogueDataset{{ID: "d", Fields: []spec.CatalogueField{{Name: "f"}}}}, Items: []spec.CatalogueItem{{ID: "i"}}}, i.err
}

func (i *inside) Search(_ context.Context, q *spec.Search) (*spec.SearchPage, error) {
	i.search = q
	return &spec.SearchPage{Entries: []spec.LogEntry{{Index: 7, Party: "bank", Rule: "suspended"}}, Before: 5, Scanned: 9}, i.err
}

func (i *inside) Checkpoint() []byte { return []byte("checkpoint") }
func (i *inside) Trust() []byte      { return []byte("trust") }
func (i *inside) Prove(context.Context, uint64) ([]byte, [][]byte, []byte, error) {
	return []byte("entry"), nil, []byte("checkpoint"), i.err
}

func services(i *inside) (*rpc.Services, *bytes.Buffer) {
	logged := &bytes.Buffer{}
	return rpc.New(i, i, i, i, slog.New(slog.NewJSONHandler(logged, nil))), logged
}

func asParty(party string) context.Context { return spec.WithParty(context.Background(), party) }

// oneEntry is a log that takes anything and gives a proof of one leaf.
type oneEntry struct{ audit.Record }

func (l *oneEntry) Append(_ context.Context, r audit.Record) (*audit.Appended, error) {
	l.Record = r
	entry := audit.Entry{Kind: r.Kind, Time: r.Time, Statement: r.Statement, Private: audit.HashOf(r.Private)}
	return &audit.Appended{Entry: entry.AppendTo(nil), Checkpoint: &audit.Checkpoint{Text: []byte("a checkpoint\n")}}, nil
}

func (l *oneEntry) Frame(context.Context, uint64) (audit.Frame, error) {
	return audit.Frame{}, audit.ErrNoEntry
}

func (l *oneEntry) Prove(context.Context, uint64) (*audit.Appended, error) {
	return nil, audit.ErrNoEntry
}

type noSeal struct{}

func (noSeal) Seal(dst, _, plain []byte) ([]byte, error)  { return append(dst, plain...), nil }
func (noSeal) Open(dst, _, sealed []byte) ([]byte, error) { return append(dst, sealed...), nil }

type passing struct{}

func (passing) ID() string { return "passing" }
func (passing) Check(context.Context, *release.Candidate) ([]release.Finding, error) {
	return []release.Finding{{Rule: "passing", Threshold: "none", Outcome: release.Passed}}, nil
}

// releaseOf lets a body out of a gate of its own.
func releaseOf(t *testing.T, body release.Body) *release.Release {
	t.Helper()
	policy := policyOf(t)
	gate, err := release.NewGate(release.Options{
		Domain: "jilin-city", Log: &oneEntry{}, Seal: noSeal{}, Rules: []release.Rule{passing{}},
		Policy: func() *governance.Policy { return policy }, Now: noon.UnixMilli, Rand: rand.Reader, Build: "test",
	})
	require.NoError(t, err)
	ask := &governance.Ask{Party: "bank", Scenario: "housing-service", Act: governance.ActVerify, Query: "owns-home", At: noon}
	d, refusal := policy.Decide(ask)
	require.Nil(t, refusal)
	rows := []release.Row{release.Row(`{}`)}
	if b, ok := body.(release.Batch); ok {
		for range len(b.Codes) - 1 {
			rows = append(rows, rows[0])
		}
	}
	c, err := release.Prepare(release.Facts{
		Ask: ask, Decision: d, Technique: receipt.Technique{Name: "t"}, Billable: 7, BudgetName: "b", BudgetLimit: 1,
		Dataset: receipt.Dataset{ID: "housing", Version: "1", AsOf: "2026-10-31", Source: "housing office"},
	}, body, release.Evidence{}, rows, &ledger.Hold{})
	require.NoError(t, err)
	_, p, err := gate.Assess(context.Background(), c)
	require.NoError(t, err)
	r, err := gate.Redeem(context.Background(), p)
	require.NoError(t, err)
	return r
}

func policyOf(t *testing.T) *governance.Policy {
	t.Helper()
	text, err := os.ReadFile("../release/testdata/domain.yaml")
	require.NoError(t, err)
	keys := map[string]keyring.SignerKey{}
	for _, id := range []string{"shuju", "zhujian"} {
		keys[id], err = keyring.GenerateSigner(keyring.Approval, rand.Reader)
		require.NoError(t, err)
	}
	file := strings.NewReplacer("KEY", keys["shuju"].Public().String(), "KEZ", keys["zhujian"].Public().String()).Replace(string(text))
	d, err := governance.ParseDomain([]byte(file))
	require.NoError(t, err)
	var signed []governance.Approval
	for id, role := range map[string]string{"shuju": governance.AsAuthority, "zhujian": governance.AsProvider} {
		a, err := governance.SignApproval(d, governance.ObjectScenario, "housing-service", id, role, keys[id])
		require.NoError(t, err)
		signed = append(signed, a)
	}
	p, err := governance.NewPolicy(nil, d, signed, noon)
	require.NoError(t, err)
	return p
}
