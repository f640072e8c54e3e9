package release_test

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/gateway/release/rules"
)

//go:embed testdata/domain.yaml
var domainText string

var noon = time.Date(2026, 10, 31, 4, 0, 0, 0, time.UTC)

// world is a gate with everything real behind it: log, ledger, keys and policy.
type world struct {
	t      testing.TB
	gate   *release.Gate
	log    *audit.Log
	ledger *ledger.Ledger
	trust  []byte
	policy atomic.Pointer[governance.Policy]
	fail   *failing
	frames []audit.Frame
}

// failing is a log that can be told to fail before, or after, the frame is durable.
type failing struct {
	*audit.Log
	before, after error
}

func (f *failing) Append(ctx context.Context, r audit.Record) (*audit.Appended, error) {
	if f.before != nil {
		return nil, f.before
	}
	a, err := f.Log.Append(ctx, r)
	if f.after != nil {
		return nil, f.after
	}
	return a, err
}

type checkpointSigner struct{ keyring.Signer }

func (s checkpointSigner) KeyID() [32]byte { return s.Public().ID() }

func newWorld(t testing.TB, change ...func(*release.Options)) *world {
	t.Helper()
	w := &world{t: t, ledger: ledger.New()}
	w.policy.Store(signedPolicy(t))
	dir := t.TempDir()
	ring, err := keyring.Open(filepath.Join(dir, "keys"), keyring.Options{Rand: rand.Reader})
	require.NoError(t, err)
	signer, err := ring.Signer(keyring.Checkpoint, "log")
	require.NoError(t, err)
	seal, err := ring.Sealer(keyring.Seal, "results")
	require.NoError(t, err)
	w.trust, err = (&receipt.Trust{
		Domain: "jilin-city", Origin: "yumen/jilin-city", KeyName: "yumen",
		CheckpointKey: signer.Public().String(), NotBefore: "2026-01-01",
	}).Marshal()
	require.NoError(t, err)
	w.log, err = audit.Open(context.Background(), audit.Options{
		Dir: filepath.Join(dir, "log"), CheckpointDir: filepath.Join(dir, "second"), Origin: "yumen/jilin-city", KeyName: "yumen",
		Signer: checkpointSigner{signer}, Clock: func() time.Time { return noon },
		Verify: func(msg, sig []byte) bool { return signer.Public().Verify(keyring.Checkpoint, msg, sig) },
		Apply: func(f audit.Frame) error {
			kept := f
			kept.Text, kept.Private, kept.Hint = bytes.Clone(f.Text), bytes.Clone(f.Private), nil
			w.frames = append(w.frames, kept)
			return w.ledger.Apply(f)
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.log.Close()) })
	w.fail = &failing{Log: w.log}
	o := release.Options{
		Domain: "jilin-city", Log: w.fail, Seal: seal, Rules: rules.All(), Policy: w.policy.Load,
		Now: func() int64 { return w.ledger.Now(noon) }, Rand: rand.Reader, Trust: receipt.TrustHash(w.trust), Build: "test",
	}
	for _, c := range change {
		c(&o)
	}
	w.gate, err = release.NewGate(o)
	require.NoError(t, err)
	return w
}

func signedPolicy(t testing.TB, more ...string) *governance.Policy {
	t.Helper()
	authority, err := keyring.GenerateSigner(keyring.Approval, rand.Reader)
	require.NoError(t, err)
	provider, err := keyring.GenerateSigner(keyring.Approval, rand.Reader)
	require.NoError(t, err)
	text := strings.NewReplacer("KEY", authority.Public().String(), "KEZ", provider.Public().String()).Replace(domainText + strings.Join(more, ""))
	d, err := governance.ParseDomain([]byte(text))
	require.NoError(t, err)
	var signed []governance.Approval
	for _, s := range []struct {
		party, role string
		key         keyring.SignerKey
	}{{"shuju", governance.AsAuthority, authority}, {"zhujian", governance.AsProvider, provider}} {
		a, err := governance.SignApproval(d, governance.ObjectScenario, "housing-service", s.party, s.role, s.key)
		require.NoError(t, err)
		signed = append(signed, a)
	}
	p, err := governance.NewPolicy(nil, d, signed, noon)
	require.NoError(t, err)
	require.Empty(t, p.Inactive())
	return p
}

func (w *world) suspend() {
	next, err := w.policy.Load().WithSuspension(governance.Suspension{
		Kind: governance.TargetParty, ID: "bank", Reason: "inspection", By: "shuju", At: noon})
	require.NoError(w.t, err)
	w.policy.Store(next)
}

// facts of a question that the policy permits. Masks are the operator's own.
func (w *world) facts(act governance.Act, query string) release.Facts {
	ask := &governance.Ask{Party: "bank", Scenario: "housing-service", Act: act, Query: query, At: noon}
	if act == governance.ActMask {
		ask.Party = "yunying"
	}
	d, refusal := w.policy.Load().Decide(ask)
	require.Nil(w.t, refusal, "%v", refusal)
	return release.Facts{
		Ask: ask, Decision: d, Technique: receipt.Technique{Name: "test", Params: map[string]string{"k": "v"}},
		Dataset:    receipt.Dataset{ID: "housing", Version: "2026-10", AsOf: "2026-10-31", Source: "住建局"},
		BudgetName: "answers per day", BudgetLimit: 100, Billable: 1,
	}
}

var quota = ledger.Account{Kind: ledger.Quota, Scope: ledger.Scope{1}, Period: ledger.Day(noon.UnixMilli())}

func (w *world) hold(idem *ledger.Idem) *ledger.Hold {
	h, err := w.ledger.Hold(context.Background(), w.ledger.Now(noon), idem,
		[]ledger.Limited{{Charge: ledger.Charge{Account: quota, Amount: 1}, Limit: 100}})
	require.NoError(w.t, err)
	return h
}

const personRow = `{"name":"张伟","number":"11010519491231002X","phone":"13800138000"}`

func (w *world) candidate(code release.Code) (*release.Candidate, *ledger.Hold) {
	h := w.hold(nil)
	c, err := release.Prepare(w.facts(governance.ActVerify, "owns-home"), release.Answer{Code: code},
		release.Evidence{Registered: true}, []release.Row{release.Row(personRow)}, h)
	require.NoError(w.t, err)
	return c, h
}

func (w *world) permit(c *release.Candidate) *release.Permit {
	report, p, err := w.gate.Assess(context.Background(), c)
	require.NoError(w.t, err)
	require.Nil(w.t, report.Failed())
	require.NotNil(w.t, p)
	return p
}

func (w *world) redeem(c *release.Candidate) *release.Opened {
	r, err := w.gate.Redeem(context.Background(), w.permit(c))
	require.NoError(w.t, err)
	o, err := r.Open()
	require.NoError(w.t, err)
	return o
}

func (w *world) verifies(o *release.Opened) {
	set, err := receipt.LoadTrust(fstest.MapFS{"trust.json": {Data: w.trust}})
	require.NoError(w.t, err)
	report := receipt.Verify(o.Receipt, o.Result, set, noon)
	require.True(w.t, report.OK(), report.Text("en"))
}

var errDisk = errors.New("disk gone")

type noRandom struct{}

func (noRandom) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
