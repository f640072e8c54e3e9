package job

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// domainText has no templates, so that no register is read.
const domainText = `
yumen: 1
domain: jilin-city
jurisdiction: jilin
parties:
  - {id: shuju, name: 数据局, roles: [data_authority, implementing_body], key: "KEY"}
  - {id: zhujian, name: 住建局, roles: [provider], key: "KEZ"}
  - {id: yunying, name: 运营公司, roles: [operator]}
  - {id: bank, name: 松江银行, roles: [application_unit]}
datasets:
  - id: housing
    name: 不动产登记库
    provider: zhujian
    source: {kind: file, path: housing.csv, format: csv}
    version: "2026-10"
    as_of: 2026-10-31
    privacy_unit: person
    subject: {field: rid, identifier: resident_id}
    sharing: conditional
    fields:
      - {name: rid, type: string, class: direct_identifier, grade: 3}
      - {name: district, type: string, class: quasi_identifier, grade: 2}
templates: []
tables:
  - {id: homes, dataset: housing, group_by: [district], measures: [{kind: count}]}
masks:
  - {id: sample, dataset: housing, k: 5, max_suppression: "0.10", columns: [{name: district, technique: keep}]}
agreements:
  - {id: op, kind: operation, parties: [shuju, yunying], from: 2026-01-01, until: 2028-12-31, terms_digest: "1111111111111111111111111111111111111111111111111111111111111111"}
  - {id: use, kind: use, parties: [yunying, bank], from: 2026-02-01, until: 2027-01-31, terms_digest: "2222222222222222222222222222222222222222222222222222222222222222"}
scenarios:
  - id: housing-service
    name: 乐居服务
    purpose: 租购房资格核验
    operation: op
    plan: "5555555555555555555555555555555555555555555555555555555555555555"
    providers: [zhujian]
    authority: shuju
    units: [{party: bank, agreement: use, per_day: 100}, {party: yunying, agreement: op, per_day: 100}]
    templates: []
    tables: [homes]
    masks: [sample]
    consent: not_required
    allowed_use: 仅用于租购房资格核验
    result_days: 30
consents: []
`

var noon = time.Date(2026, 10, 31, 4, 0, 0, 0, time.UTC)

func change1(t *testing.T) *spec.Change {
	t.Helper()
	keys := map[string]keyring.SignerKey{}
	for _, id := range []string{"shuju", "zhujian"} {
		k, err := keyring.GenerateSigner(keyring.Approval, rand.Reader)
		require.NoError(t, err)
		keys[id] = k
	}
	text := []byte(strings.NewReplacer("KEY", keys["shuju"].Public().String(), "KEZ", keys["zhujian"].Public().String()).Replace(domainText))
	d, err := governance.ParseDomain(text)
	require.NoError(t, err)
	var signed []governance.Approval
	for id, role := range map[string]string{"shuju": governance.AsAuthority, "zhujian": governance.AsProvider} {
		a, err := governance.SignApproval(d, governance.ObjectScenario, "housing-service", id, role, keys[id])
		require.NoError(t, err)
		signed = append(signed, a)
	}
	approvals, err := governance.MarshalApprovals(signed)
	require.NoError(t, err)
	return &spec.Change{Party: Local, Domain: text, Approvals: approvals}
}

func optionsIn(t *testing.T, dir string) Options {
	t.Helper()
	ring, err := keyring.Open(filepath.Join(dir, "keys"), keyring.Options{Rand: rand.Reader})
	require.NoError(t, err)
	return Options{
		Domain: "jilin-city", LogDir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "second"),
		IndexDir: filepath.Join(dir, "index"), DevZone: filepath.Join(dir, "zone"), TrustDir: filepath.Join(dir, "trust"),
		Ring: ring, Build: "test", Clock: func() time.Time { return noon }, Rand: rand.Reader,
		Source: func(d *governance.Dataset) (connectors.Source, error) { return schemaOnly{d}, nil },
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// schemaOnly is a register that can be described and not read.
type schemaOnly struct{ d *governance.Dataset }

func (s schemaOnly) Describe(context.Context) (*connectors.Dataset, error) {
	var fields []connectors.Field
	for _, f := range s.d.Fields {
		fields = append(fields, connectors.Field{Name: f.Name, Type: f.Type})
	}
	schema, err := connectors.Schema(fields)
	return &connectors.Dataset{Schema: schema}, err
}

func (schemaOnly) Open(context.Context, connectors.Scan) (array.RecordReader, error) {
	return nil, errData
}

func open(t *testing.T, dir string) *Runner {
	t.Helper()
	r, err := Open(context.Background(), optionsIn(t, dir))
	require.NoError(t, err)
	return r
}

// shape is what a runner knows, for comparison.
type shape struct {
	digest      [32]byte
	hash        [32]byte
	epoch       uint64
	suspensions []governance.Suspension
	registered  map[string]*registration
	jobs        map[string]jobRecord
	history     []past
}

func shapeOf(r *Runner) shape {
	r.domainMu.Lock()
	defer r.domainMu.Unlock()
	s := shape{
		digest: r.ledger.Digest(), hash: r.domain.policy.Hash, epoch: r.domain.policy.Epoch,
		suspensions: r.domain.policy.Suspensions(), registered: r.domain.registered, history: r.domain.history, jobs: map[string]jobRecord{},
	}
	for id, j := range r.domain.jobs {
		s.jobs[id] = *j
	}
	return s
}

// fill writes changes of every kind.
func fill(t *testing.T, r *Runner) {
	t.Helper()
	ctx := context.Background()
	_, err := r.Apply(ctx, change1(t))
	require.NoError(t, err)
	for _, resume := range []bool{false, true, false} {
		_, err = r.Suspend(ctx, &spec.Suspension{Party: Local, Kind: governance.TargetParty, ID: "bank", Reason: "inspection", Resume: resume})
		require.NoError(t, err)
	}
	_, err = r.write(ctx, audit.Registration, audit.Hash{1}, &change{Registered: &registration{
		Dataset: "housing", Version: "2026-10", Program: "00", Templates: map[string]bool{"a": true, "b": false}, MergeAbsent: true,
	}})
	require.NoError(t, err)
	for _, s := range []spec.State{spec.Queued, spec.Running, spec.Failed} {
		_, err = r.write(ctx, audit.Job, audit.Hash{2}, &change{Job: &jobChange{
			ID: "job-1", State: s, Party: "yunying", Key: "k", KeyTime: 1, Scenario: "housing-service", Mask: "sample", Problem: "row 7: rule",
		}})
		require.NoError(t, err)
	}
}

func TestSnapshotAndReplayGiveTheSameDomain(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	fill(t, r)
	want := shapeOf(r)
	require.NoError(t, r.Close())

	r = open(t, dir)
	require.Equal(t, want, shapeOf(r), "from the snapshot")
	require.NoError(t, r.Close())

	snapshots, err := filepath.Glob(filepath.Join(dir, "log", "*", "state*"))
	require.NoError(t, err)
	other, err := filepath.Glob(filepath.Join(dir, "log", "state*"))
	require.NoError(t, err)
	snapshots = append(snapshots, other...)
	require.NotEmpty(t, snapshots)
	for i, path := range snapshots {
		if i%2 == 0 {
			require.NoError(t, os.Remove(path))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte("not a snapshot"), 0o600))
	}
	r = open(t, dir)
	require.Equal(t, want, shapeOf(r), "from the log alone")
	require.NoError(t, r.Close())
}

func TestDamagedSnapshotPayloadIsRefused(t *testing.T) {
	r := open(t, t.TempDir())
	fill(t, r)
	defer func() { require.NoError(t, r.Close()) }()
	size, state := r.ledger.Snapshot()
	good := binary.BigEndian.AppendUint64(nil, uint64(len(state)))
	good = append(append(good, state...), "[]"...)
	_, _, err := r.decode(&audit.Snapshot{Index: size, Payload: good})
	require.NoError(t, err)
	for name, s := range map[string]*audit.Snapshot{
		"empty":          {Index: size},
		"length forged":  {Index: size, Payload: append(bytes.Repeat([]byte{0xff}, 8), good[8:]...)},
		"one too long":   {Index: size, Payload: binary.BigEndian.AppendUint64(nil, 1)},
		"other index":    {Index: size + 1, Payload: good},
		"cut":            {Index: size, Payload: good[:len(good)-1]},
		"ledger changed": {Index: size, Payload: append(append(bytes.Clone(good[:8]), 9), good[9:]...)},
		"foreign change": {Index: size, Payload: append(bytes.Clone(good[:len(good)-2]), `[{"index":0,"kind":2,"time":1,"body":"AAAA"}]`...)},
	} {
		_, _, err := r.decode(s)
		require.Error(t, err, name)
	}
}

// Two domains that take the same changes are the same, and the first is not touched by the second.
func TestTakeIsAFunctionOfTheChanges(t *testing.T) {
	r := open(t, t.TempDir())
	defer func() { require.NoError(t, r.Close()) }()
	fill(t, r)
	want := shapeOf(r)
	again := &Runner{o: r.o, seal: r.seal, ledger: r.ledger, domain: newDomain()}
	for _, p := range want.history {
		c, err := again.openChange(p.Body)
		require.NoError(t, err)
		require.NoError(t, again.domain.take(c, p.Time))
	}
	again.domain.history = want.history
	require.Equal(t, want, shapeOf(again))
}

func TestChangesAreSealed(t *testing.T) {
	r := open(t, t.TempDir())
	defer func() { require.NoError(t, r.Close()) }()
	fill(t, r)
	for f, err := range r.log.Frames(context.Background(), 0) {
		require.NoError(t, err)
		for _, word := range []string{"housing", "inspection", "bank", "yunying"} {
			require.NotContains(t, string(f.Private), word)
		}
	}
	_, err := r.openChange([]byte("forged"))
	require.Error(t, err)
}

func TestJobRecordsAreNotAltered(t *testing.T) {
	var none *jobRecord
	first := none.with(&jobChange{ID: "a", State: spec.Queued, Party: "p", Mask: "m"}, 1)
	second := first.with(&jobChange{ID: "a", State: spec.Done, Rows: 5, Release: 7}, 9)
	require.Equal(t, spec.Queued, first.State)
	require.Equal(t, spec.Done, second.State)
	require.Equal(t, "m", second.Mask, "what was asked stays")
	require.EqualValues(t, 9, second.view().EndedMS)
	require.Equal(t, "a", second.view().Output)
	require.Empty(t, first.view().Output)
}

func TestOptionsWantAllParts(t *testing.T) {
	_, err := Open(context.Background(), Options{})
	require.Error(t, err)
	o := optionsIn(t, t.TempDir())
	o.Rand = nil
	_, err = Open(context.Background(), o)
	require.Error(t, err)
}
