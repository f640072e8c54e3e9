package release_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
)

func TestZeroReleaseDoesNotOpen(t *testing.T) {
	for _, r := range []*release.Release{nil, {}, new(release.Release)} {
		o, err := r.Open()
		require.ErrorIs(t, err, release.ErrEmpty)
		require.Nil(t, o)
	}
}

func TestGateWantsAllItsParts(t *testing.T) {
	_, err := release.NewGate(release.Options{})
	require.Error(t, err)
	for name, cut := range map[string]func(*release.Options){
		"rules":  func(o *release.Options) { o.Rules = nil },
		"log":    func(o *release.Options) { o.Log = nil },
		"seal":   func(o *release.Options) { o.Seal = nil },
		"policy": func(o *release.Options) { o.Policy = nil },
		"now":    func(o *release.Options) { o.Now = nil },
		"rand":   func(o *release.Options) { o.Rand = nil },
		"build":  func(o *release.Options) { o.Build = "" },
		"domain": func(o *release.Options) { o.Domain = "" },
	} {
		newWorld(t, func(o *release.Options) {
			one := *o
			cut(&one)
			_, err := release.NewGate(one)
			require.Error(t, err, name)
		})
	}
}

func TestPermitIsOfOneGateAndForOnce(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	ctx := context.Background()
	for _, p := range []*release.Permit{nil, {}, new(release.Permit)} {
		_, err := w.gate.Redeem(ctx, p)
		require.ErrorIs(t, err, release.ErrPermit)
	}
	c, _ := w.candidate(release.Yes)
	p := w.permit(c)
	_, err := other.gate.Redeem(ctx, p)
	require.ErrorIs(t, err, release.ErrPermit)

	// 64 goroutines race for one permit: one release, one frame, one charge.
	var wg sync.WaitGroup
	out := make(chan *release.Release, 64)
	for range 64 {
		wg.Go(func() {
			r, err := w.gate.Redeem(ctx, p)
			if err == nil {
				out <- r
				return
			}
			if !errors.Is(err, release.ErrSpent) || r != nil {
				t.Errorf("want ErrSpent and nothing, got %v", err)
			}
		})
	}
	wg.Wait()
	require.Len(t, out, 1)
	require.EqualValues(t, 1, w.log.Size())
	require.EqualValues(t, 1, w.ledger.Spent(quota))
	require.Zero(t, other.log.Size())
}

func TestAlteredCandidateIsRefused(t *testing.T) {
	w := newWorld(t)
	codes := []release.Code{release.Yes, release.No}
	rows := []release.Row{release.Row(`{"a":1}`), release.Row(`{"a":2}`)}
	c, err := release.Prepare(w.facts(governance.ActBatch, "owns-home"), release.Batch{Codes: codes}, release.Evidence{Registered: true}, rows, w.hold(nil))
	require.NoError(t, err)
	p := w.permit(c)
	codes[1] = release.Match
	_, err = w.gate.Redeem(context.Background(), p)
	require.ErrorIs(t, err, release.ErrAltered)
	codes[1] = release.No
	_, err = w.gate.Redeem(context.Background(), p)
	require.ErrorIs(t, err, release.ErrSpent, "the permit is used up by the attempt")
	require.Zero(t, w.log.Size())
}

// What is judged must be what was sealed: a body shown to the rules in another form gets no permit.
func TestCandidateAlteredForAssessmentOnlyIsRefused(t *testing.T) {
	w := newWorld(t)
	codes := []release.Code{99}
	c, err := release.Prepare(w.facts(governance.ActBatch, "owns-home"), release.Batch{Codes: codes}, release.Evidence{Registered: true},
		[]release.Row{release.Row(`{}`)}, w.hold(nil))
	require.NoError(t, err)
	codes[0] = release.Yes
	_, p, err := w.gate.Assess(context.Background(), c)
	require.ErrorIs(t, err, release.ErrAltered)
	require.Nil(t, p)
}

func TestPrepareRefusesWhatDoesNotFit(t *testing.T) {
	w := newWorld(t)
	f, h, row := w.facts(governance.ActVerify, "owns-home"), w.hold(nil), []release.Row{release.Row(`{}`)}
	two := []release.Row{row[0], row[0]}
	for name, try := range map[string]func() error{
		"no body":      func() error { _, err := release.Prepare(f, nil, release.Evidence{}, row, h); return err },
		"no row":       func() error { _, err := release.Prepare(f, release.Answer{}, release.Evidence{}, nil, h); return err },
		"two rows":     func() error { _, err := release.Prepare(f, release.Answer{}, release.Evidence{}, two, h); return err },
		"masked, none": func() error { _, err := release.Prepare(f, release.Masked{}, release.Evidence{}, nil, h); return err },
		"no hold":      func() error { _, err := release.Prepare(f, release.Answer{}, release.Evidence{}, row, nil); return err },
		"no facts": func() error {
			_, err := release.Prepare(release.Facts{}, release.Answer{}, release.Evidence{}, row, h)
			return err
		},
		"batch is void": func() error { _, err := release.Prepare(f, release.Batch{}, release.Evidence{}, nil, h); return err },
		"batch is short": func() error {
			_, err := release.Prepare(f, release.Batch{Codes: []release.Code{release.Yes}}, release.Evidence{}, two, h)
			return err
		},
	} {
		require.ErrorIs(t, try(), release.ErrCandidate, name)
	}
}

func TestRuleThatCannotJudgeGivesNoPermit(t *testing.T) {
	for name, rule := range map[string]release.Rule{"error": broken{err: errDisk}, "silent": broken{}} {
		w := newWorld(t, func(o *release.Options) { o.Rules = []release.Rule{rule} })
		c, _ := w.candidate(release.Yes)
		_, p, err := w.gate.Assess(context.Background(), c)
		require.Nil(t, p, name)
		if name == "error" {
			require.ErrorIs(t, err, errDisk)
		}
	}
}

type broken struct{ err error }

func (broken) ID() string { return "broken" }
func (b broken) Check(context.Context, *release.Candidate) ([]release.Finding, error) {
	return nil, b.err
}

// Settings tightened between assessment and redemption stop what was judged by looser ones.
func TestTightenedSettingsAreAskedAgainAtRedeem(t *testing.T) {
	w := newWorld(t)
	w.policy.Store(signedPolicy(t, "settings: {minimum_subjects: 12}\n"))
	c, h := w.candidate(release.Yes)
	p := w.permit(c)
	w.policy.Store(signedPolicy(t, "settings: {minimum_subjects: 13}\n"))
	_, err := w.gate.Redeem(context.Background(), p)
	var refusal *governance.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, governance.SettingsChanged, refusal.Rule)
	require.Zero(t, w.log.Size())
	h.Cancel()
	c, _ = w.candidate(release.Yes)
	p = w.permit(c)
	w.policy.Store(signedPolicy(t, "settings: {minimum_subjects: 11}\n"))
	_, err = w.gate.Redeem(context.Background(), p)
	require.NoError(t, err)
}

// A suspension between assessment and redemption stops what is already on its way.
func TestPolicyIsAskedAgainAtRedeem(t *testing.T) {
	w := newWorld(t)
	c, h := w.candidate(release.Yes)
	p := w.permit(c)
	w.suspend()
	r, err := w.gate.Redeem(context.Background(), p)
	var refusal *governance.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, governance.Suspended, refusal.Rule)
	require.Nil(t, r)
	require.Zero(t, w.log.Size())
	h.Cancel()
}

func TestFailingLogLetsNothingOutAndKeepsTheSpend(t *testing.T) {
	w := newWorld(t)
	c, _ := w.candidate(release.Yes)
	p := w.permit(c)
	w.fail.before = audit.ErrOutcomeUnknown
	r, err := w.gate.Redeem(context.Background(), p)
	require.ErrorIs(t, err, audit.ErrOutcomeUnknown)
	require.Nil(t, r)
	// The hold was not given back: what may have been spent counts as spent.
	_, err = w.ledger.Hold(context.Background(), noon.UnixMilli(), nil, []ledger.Limited{{Charge: ledger.Charge{Account: quota, Amount: 100}, Limit: 100}})
	var exhausted *ledger.Exhausted
	require.ErrorAs(t, err, &exhausted)

	w.fail.before = nil
	_, err = w.gate.Redeem(context.Background(), p)
	require.ErrorIs(t, err, release.ErrSpent)

	c, _ = w.candidate(release.No)
	w.fail.after = audit.ErrOutcomeUnknown
	r, err = w.gate.Redeem(context.Background(), w.permit(c))
	require.ErrorIs(t, err, audit.ErrOutcomeUnknown)
	require.Nil(t, r)
	require.EqualValues(t, 1, w.ledger.Spent(quota), "durable, not delivered: charged all the same")
}

func TestNoRandomnessNoRelease(t *testing.T) {
	w := newWorld(t, func(o *release.Options) { o.Rand = noRandom{} })
	c, _ := w.candidate(release.Yes)
	_, err := w.gate.Redeem(context.Background(), w.permit(c))
	require.Error(t, err)
	_, err = w.gate.Refuse(context.Background(), &governance.Ask{}, w.policy.Load().Refuse(governance.Suspended), nil)
	require.Error(t, err)
	require.Zero(t, w.log.Size())
}

func bodies(w *world) map[string]func(idem *ledger.Idem) (*release.Candidate, []release.Row) {
	prepare := func(f release.Facts, b release.Body, ev release.Evidence, rows []release.Row, idem *ledger.Idem) (*release.Candidate, []release.Row) {
		ev.Registered = true
		c, err := release.Prepare(f, b, ev, rows, w.hold(idem))
		require.NoError(w.t, err)
		return c, rows
	}
	named := []release.Row{release.Row(`{"query":"homes","scenario":"housing-service"}`)}
	return map[string]func(*ledger.Idem) (*release.Candidate, []release.Row){
		"answer": func(i *ledger.Idem) (*release.Candidate, []release.Row) {
			return prepare(w.facts(governance.ActVerify, "owns-home"), release.Answer{Code: release.NotFound}, release.Evidence{}, []release.Row{release.Row(personRow)}, i)
		},
		"batch": func(i *ledger.Idem) (*release.Candidate, []release.Row) {
			return prepare(w.facts(governance.ActBatch, "owns-home"), release.Batch{Codes: []release.Code{release.Yes, release.Withheld, release.No}}, release.Evidence{},
				[]release.Row{release.Row(personRow), release.Row(`{"n":2}`), release.Row(`{"n":3}`)}, i)
		},
		"table": func(i *ledger.Idem) (*release.Candidate, []release.Row) {
			return prepare(w.facts(governance.ActTable, "homes"), release.Table{
				GroupBy: []string{"district"}, Measures: []string{"count"},
				Cells: []release.Cell{{Keys: []string{"a\"\u2400\n"}, Values: []string{"12"}}, {Keys: []string{"b"}, Values: []string{}, Withheld: true}},
			}, release.Evidence{Cells: []release.CellEvidence{{Subjects: 12, Complement: 20}, {Subjects: 3, Complement: 12, Withheld: true}}}, named, i)
		},
		"masked": func(i *ledger.Idem) (*release.Candidate, []release.Row) {
			return prepare(w.facts(governance.ActMask, "sample"), release.Masked{Output: "sample-1", FileSM3: [32]byte{1, 2}, Bytes: 1 << 40, Rows: 7, SuppressedPermille: 3, K: 5},
				release.Evidence{Masked: release.MaskedEvidence{K: 5, LeastK: 5, MaxPermille: 100}}, named, i)
		},
	}
}

func TestEveryFormLeavesWithAReceiptThatVerifiesAndReplaysByteForByte(t *testing.T) {
	w := newWorld(t)
	key := byte(0)
	for name, make := range bodies(w) {
		t.Run(name, func(t *testing.T) {
			key++
			id := &ledger.Idem{Key: [16]byte{key}, Request: [16]byte{9}, Time: noon.UnixMilli()}
			c, rows := make(id)
			o := w.redeem(c)
			w.verifies(o)
			require.False(t, o.Replayed)
			spent, size := w.ledger.Spent(quota), w.log.Size()

			var stored *ledger.Stored
			_, err := w.ledger.Hold(context.Background(), noon.UnixMilli(), id, nil)
			require.ErrorAs(t, err, &stored)
			r, err := w.gate.Replay(context.Background(), stored.Index, *c.Facts(), rows)
			require.NoError(t, err)
			again, err := r.Open()
			require.NoError(t, err)
			require.True(t, again.Replayed)
			require.Equal(t, string(o.Result), string(again.Result))
			require.Equal(t, statementOf(t, o.Receipt), statementOf(t, again.Receipt))
			require.Equal(t, o.Body, again.Body)
			require.Equal(t, o.Serial, again.Serial)
			w.verifies(again)
			require.Equal(t, spent, w.ledger.Spent(quota), "a replay is not charged")
			require.Equal(t, size, w.log.Size())
		})
	}
	again := ledger.New()
	for _, f := range w.frames {
		require.NoError(t, again.Apply(f))
	}
	require.Equal(t, w.ledger.Digest(), again.Digest(), "the ledger is a function of the log")
}

func statementOf(t testing.TB, file []byte) string {
	t.Helper()
	r, err := receipt.ParseReceipt(file)
	require.NoError(t, err)
	return string(r.Statement)
}

func TestReplayAsksThePolicyAndReadsOnlyAnswers(t *testing.T) {
	w := newWorld(t)
	c, _ := w.candidate(release.Yes)
	o := w.redeem(c)
	ctx, rows := context.Background(), []release.Row{release.Row(personRow)}
	_, err := w.gate.Replay(ctx, 77, *c.Facts(), rows)
	require.ErrorIs(t, err, audit.ErrNoEntry)

	index, err := w.gate.Refuse(ctx, c.Facts().Ask, w.policy.Load().Refuse(governance.SmallCell), nil)
	require.NoError(t, err)
	var repeated *release.Repeated
	_, err = w.gate.Replay(ctx, index, *c.Facts(), rows)
	require.ErrorAs(t, err, &repeated)
	require.Equal(t, governance.SmallCell, repeated.Rule)

	private, err := (&ledger.Record{Body: []byte("change")}).AppendTo(nil)
	require.NoError(t, err)
	a, err := w.log.Append(ctx, audit.Record{Kind: audit.Domain, Time: 1, Private: private})
	require.NoError(t, err)
	_, err = w.gate.Replay(ctx, a.Index, *c.Facts(), rows)
	require.ErrorIs(t, err, release.ErrStored)

	whole := audit.State([]byte(statementOf(t, o.Receipt)))
	for _, stated := range []audit.Stated{{}, audit.State([]byte("{}")), whole} {
		for _, body := range [][]byte{nil, {1}, {9}, {1, 255, 255, 255, 255}, bytes.Repeat([]byte{2}, 300)} {
			private, err := (&ledger.Record{Body: body}).AppendTo(nil)
			require.NoError(t, err)
			a, err := w.log.Append(ctx, audit.Record{Kind: audit.Release, Time: 1, Statement: stated.Hash(), Stated: stated, Private: private})
			require.NoError(t, err)
			_, err = w.gate.Replay(ctx, a.Index, *c.Facts(), rows)
			require.ErrorIs(t, err, release.ErrStored)
		}
	}

	w.suspend()
	_, err = w.gate.Replay(ctx, o.Index, *c.Facts(), rows)
	var refusal *governance.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, governance.Suspended, refusal.Rule)
}

// A receipt is for all to see: neither it nor the log's public entry nor the frame in the clear may
// hold the subject or the answer.
func TestReceiptAndFrameHideSubjectAndAnswer(t *testing.T) {
	w := newWorld(t)
	var results, statements []string
	for _, code := range []release.Code{release.Yes, release.No} {
		c, _ := w.candidate(code)
		o := w.redeem(c)
		results, statements = append(results, string(o.Result)), append(statements, statementOf(t, o.Receipt))
		for _, secret := range []string{"11010519491231002X", "张伟", "13800138000", `"answer"`} {
			require.NotContains(t, string(o.Receipt), secret)
			require.NotContains(t, string(w.frames[len(w.frames)-1].Private), secret)
			require.NotContains(t, string(w.frames[len(w.frames)-1].Text), secret)
		}
		require.Contains(t, string(o.Result), "11010519491231002X")
	}
	require.Len(t, results[1], len(results[0]), "yes and no are of one length")
	require.Len(t, statements[1], len(statements[0]), "yes and no are of one length")
}

func TestRefusalIsLoggedWithoutSubjectAndHidden(t *testing.T) {
	w := newWorld(t)
	ask := &governance.Ask{Party: "bank", Scenario: "housing-service", Act: governance.ActVerify, Query: string(bytes.Repeat([]byte("x"), 65)), Subject: []byte("11010519491231002X")}
	refusal := w.policy.Load().Refuse(governance.QuotaExhausted)
	h := w.hold(nil)
	var statements [2]audit.Hash
	for i := range statements {
		index, err := w.gate.Refuse(context.Background(), ask, refusal, nil)
		require.NoError(t, err)
		statements[i] = w.frames[index].Entry.Statement
	}
	require.NotEqual(t, statements[0], statements[1], "the same refusal twice cannot be told")
	private := string(w.frames[0].Private)
	require.NotContains(t, private, "11010519491231002X")
	require.NotContains(t, private, "xxx", "a foreign id that long names nothing and is not kept")
	require.Contains(t, private, "quota-exhausted")
	require.Zero(t, w.ledger.Spent(quota))

	_, err := w.gate.Refuse(context.Background(), ask, refusal, h)
	require.NoError(t, err)
	require.EqualValues(t, 1, w.ledger.Spent(quota), "work that was done is paid for")
	w.fail.before = audit.ErrNotDurable
	_, err = w.gate.Refuse(context.Background(), ask, refusal, nil)
	require.ErrorIs(t, err, audit.ErrNotDurable)
}

func TestCanonicalBodiesAreCanonicalJSON(t *testing.T) {
	w := newWorld(t)
	for name, make := range bodies(w) {
		c, _ := make(nil)
		file := w.redeem(c).Result
		require.NoError(t, receipt.RequireCanonical(file), name)
		require.True(t, json.Valid(file))
	}
}

func TestSerialHasOneLength(t *testing.T) {
	for _, n := range []uint64{0, 1, 999_999_999_999} {
		require.Len(t, release.Serial(noon.UnixMilli(), n), len("YM-20261031-000000000000"))
	}
	require.Equal(t, "YM-20261101-000000000007", release.Serial(noon.UnixMilli()+12*3600*1000, 7), "the day is Shanghai's")
}

func TestEveryCodeHasTwoDigits(t *testing.T) {
	known := 0
	for c := range 256 {
		if !release.Code(c).Valid() {
			continue
		}
		known++
		require.Less(t, 9, c)
		require.Greater(t, 100, c)
	}
	require.Equal(t, 6, known)
}

// Whatever is not a published code, a judged table or a masked table without identifiers gets no
// permit, and without a permit nothing leaves.
func TestR47_RawPackagesCannotLeave(t *testing.T) {
	w := newWorld(t)
	row := []release.Row{release.Row(`{}`)}
	raw := release.Table{GroupBy: []string{"rid"}, Cells: []release.Cell{{Keys: []string{"11010519491231002X"}, Values: []string{"1"}}}}
	for name, c := range map[string]struct {
		act   governance.Act
		query string
		body  release.Body
		ev    release.Evidence
	}{
		"attribute in a code":       {governance.ActVerify, "owns-home", release.Answer{Code: 87}, release.Evidence{}},
		"rows as cells":             {governance.ActTable, "homes", raw, release.Evidence{Cells: []release.CellEvidence{{Subjects: 1, Complement: 99}}}},
		"identifiers in the masked": {governance.ActMask, "sample", release.Masked{K: 5}, release.Evidence{Masked: release.MaskedEvidence{K: 5, LeastK: 5, OpenIdentifiers: 1}}},
		"records that stand alone":  {governance.ActMask, "sample", release.Masked{K: 1}, release.Evidence{Masked: release.MaskedEvidence{K: 1, LeastK: 5}}},
	} {
		c.ev.Registered = true
		candidate, err := release.Prepare(w.facts(c.act, c.query), c.body, c.ev, row, w.hold(nil))
		require.NoError(t, err, name)
		report, p, err := w.gate.Assess(context.Background(), candidate)
		require.NoError(t, err, name)
		require.NotNil(t, report.Failed(), name)
		require.Nil(t, p, name)
	}
	require.Zero(t, w.log.Size())
}
