package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/risk"
)

const (
	dataName    = "data.parquet"
	receiptName = "receipt.json"
	resultName  = "result.json"
)

// runJob takes a queued job to its end. What it writes on the way lies under a temporary name until
// the release is durable; a job that a crash cut off is run again from its beginning.
func (r *Runner) runJob(id string) {
	rec := r.job(id)
	if rec == nil || rec.State.Ended() {
		return
	}
	ctx, cancel := context.WithCancelCause(r.ctx)
	r.jobs.begin(id, cancel)
	defer r.jobs.begin("", nil)
	defer cancel(nil)
	if err := r.changeJob(ctx, &jobChange{ID: id, State: spec.Running}); err != nil {
		r.o.Logger.Error("job state not durable", slog.String("job", id))
		return
	}
	end := r.maskTable(ctx, rec)
	if r.ctx.Err() != nil {
		return // the gateway stops; the job resumes at the next start
	}
	end.ID = id
	if err := r.changeJob(r.ctx, end); err != nil {
		r.o.Logger.Error("job end not durable", slog.String("job", id))
	}
}

func (q *jobQueue) begin(id string, cancel context.CancelCauseFunc) {
	q.mu.Lock()
	q.running, q.cancel = id, cancel
	q.read.Store(0)
	q.mu.Unlock()
}

// maskTable runs the job and says how it ended.
func (r *Runner) maskTable(ctx context.Context, rec *jobRecord) *jobChange {
	rel, masked, err := r.releaseMasked(ctx, rec)
	if err == nil {
		if err = r.deliver(rec.ID, rel); err == nil {
			return &jobChange{State: spec.Done, Rows: masked.Rows, Release: rel.Index}
		}
	}
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
		err = cause
	}
	_ = os.RemoveAll(r.jobDir(rec.ID, true))
	var refusal *governance.Refusal
	switch {
	case errors.As(err, &refusal):
		_ = r.deny(r.ctx, rec.ask(r.Now()), refusal, nil)
		return &jobChange{State: spec.Refused, Rule: string(refusal.Rule)}
	case errors.Is(err, errCancelled):
		return &jobChange{State: spec.Cancelled}
	}
	r.o.Logger.Error("job failed", slog.String("job", rec.ID), slog.String("error", err.Error()))
	return &jobChange{State: spec.Failed, Problem: problemOf(err)}
}

// problemOf says what went wrong in one sentence: errors of connectors and masking name step, column
// and row and never a value; anything else stays in the gateway's own log.
func problemOf(err error) string {
	if errors.Is(err, connectors.ErrDrift) || errors.Is(err, connectors.ErrMalformed) || errors.Is(err, connectors.ErrLimit) {
		return err.Error()
	}
	var row *masking.RowError
	if errors.As(err, &row) {
		return row.Error()
	}
	if text := keyProblem(err); text != "" {
		return text
	}
	var fault *masking.Finding
	if errors.As(err, &fault) {
		return "compile masking policy: " + fault.Error()
	}
	if errors.Is(err, errOutput) {
		return "the development zone does not take the table: no space is left, or it is not writable"
	}
	return "the job could not be finished; the gateway's log has the reason"
}

func (r *Runner) releaseMasked(ctx context.Context, rec *jobRecord) (*release.Opened, *release.Masked, error) {
	policy := r.state.Load().policy
	ask := rec.ask(r.Now())
	decision, refusal := policy.Decide(ask)
	if refusal == nil {
		refusal = r.maskRefusal(decision)
	}
	if refusal != nil {
		return nil, nil, refusal
	}
	f := maskFacts(ask, decision)
	row := namedRow("mask", rec.Mask, rec.Scenario)
	limit := limited(ledger.JobRuns, scopeOf("jobs", rec.Party, rec.Scenario), ledger.Day(r.Now()), 1, decision.Limits.PerDay)
	hold, err := r.ledger.Hold(ctx, rec.KeyTime, r.jobIdem(rec), []ledger.Limited{limit})
	var stored *ledger.Stored
	if errors.As(err, &stored) {
		return r.resume(ctx, stored.Index, f, row)
	}
	var exhausted *ledger.Exhausted
	if errors.As(err, &exhausted) {
		return nil, nil, policy.Refuse(governance.QuotaExhausted)
	}
	if err != nil {
		return nil, nil, err
	}
	masked, evidence, err := r.writeMasked(ctx, rec, decision)
	if err != nil {
		hold.Cancel()
		return nil, nil, err
	}
	candidate, err := release.Prepare(f, *masked, *evidence, []release.Row{row}, hold)
	if err != nil {
		hold.Cancel()
		return nil, nil, err
	}
	rel, err := r.passMasked(ctx, decision, candidate, hold)
	var refused *governance.Refusal
	if errors.As(err, &refused) {
		hold.Cancel()
	}
	if err != nil {
		return nil, nil, err
	}
	opened, err := rel.Open()
	return opened, masked, err
}

// passMasked lets the table through the gate while no key can be destroyed: a table stands in the log
// before the end of its keys, or not at all.
func (r *Runner) passMasked(ctx context.Context, d *governance.Decision, c *release.Candidate, hold *ledger.Hold) (*release.Release, error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	if refusal := r.maskRefusal(d); refusal != nil {
		return nil, refusal
	}
	return r.pass(ctx, d.Policy, c, hold)
}

// resume ends a job whose release was durable before a crash, if the file is still what was released.
func (r *Runner) resume(ctx context.Context, index uint64, f release.Facts, row release.Row) (*release.Opened, *release.Masked, error) {
	rel, err := r.gate.Replay(ctx, index, f, []release.Row{row})
	if err != nil {
		return nil, nil, err
	}
	opened, err := rel.Open()
	if err != nil {
		return nil, nil, err
	}
	masked, ok := opened.Body.(release.Masked)
	if !ok {
		return nil, nil, release.ErrStored
	}
	for _, tmp := range []bool{true, false} {
		sum, size, err := fileDigest(filepath.Join(r.jobDir(masked.Output, tmp), dataName))
		if err == nil && sum == masked.FileSM3 && size == masked.Bytes {
			return opened, &masked, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: output file", release.ErrStored)
}

// replayJob gives the owner the release of a finished job again.
func (r *Runner) replayJob(ctx context.Context, rec *jobRecord) (*release.Release, error) {
	policy := r.state.Load().policy
	ask := rec.ask(r.Now())
	decision, refusal := policy.Decide(ask)
	if refusal != nil {
		return nil, refusal
	}
	return r.gate.Replay(ctx, rec.Release, maskFacts(ask, decision), []release.Row{namedRow("mask", rec.Mask, rec.Scenario)})
}

func maskFacts(ask *governance.Ask, d *governance.Decision) release.Facts {
	return release.Facts{
		Ask: ask, Decision: d, Technique: receipt.Technique{Name: "masked table", Params: maskParams(d)}, Dataset: cite(d.Policy.Domain(), d.Dataset),
		BudgetName: "jobs per day", BudgetLimit: d.Limits.PerDay, Billable: 1,
	}
}

// passes over the register: one counts classes, one writes.
const passes = 2

// writeMasked masks the register, leaves out records of small classes, and writes Parquet.
func (r *Runner) writeMasked(ctx context.Context, rec *jobRecord, d *governance.Decision) (*release.Masked, *release.Evidence, error) {
	source, err := r.o.Source(d.Dataset)
	if err != nil {
		return nil, nil, err
	}
	policy := maskPolicy(d)
	keys := &maskKeys{ring: r.o.Ring, scenario: d.Scenario.ID, recipient: d.Unit.Party}
	read := func(p *masking.Policy) func() (array.RecordReader, error) {
		return func() (array.RecordReader, error) { return r.readMasked(ctx, source, p, keys) }
	}
	dir := r.jobDir(rec.ID, true)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, nil, errOutput
	}
	path := filepath.Join(dir, dataName)
	out, err := newScattered(&parquetFile{path: path}, filepath.Join(dir, "heaps"), r.o.Rand)
	if err != nil {
		return nil, nil, err
	}
	var report *risk.Report
	if policy.Sample == nil {
		report, err = risk.Enforce(ctx, read(policy), policy.Exposed(), leastK(d), out.write)
	} else {
		whole := *policy
		whole.Sample = nil
		report, err = enforceSample(ctx, read(&whole), read(policy), policy.Exposed(), leastK(d), out.write)
	}
	if err = out.close(err); err != nil {
		if errors.Is(err, keyring.ErrDestroyed) {
			return nil, nil, d.Policy.Refuse(governance.KeyDestroyed)
		}
		return nil, nil, err
	}
	if report.Suppressed == report.Rows {
		return nil, nil, d.Policy.Refuse(governance.KAnonymity)
	}
	sum, size, err := fileDigest(path)
	if err != nil {
		return nil, nil, err
	}
	masked := &release.Masked{
		Output: rec.ID, FileSM3: sum, Bytes: size, Rows: report.Rows - report.Suppressed,
		SuppressedPermille: permilleUp(report.Suppressed, report.Rows), K: report.K,
	}
	return masked, maskEvidence(d, policy, masked), nil
}

// readMasked opens the register behind a masker.
func (r *Runner) readMasked(ctx context.Context, source connectors.Source, p *masking.Policy, keys *maskKeys) (array.RecordReader, error) {
	columns := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		columns[i] = c.Name
	}
	in, err := source.Open(ctx, connectors.Scan{Columns: columns})
	if err != nil {
		return nil, err
	}
	defer in.Release()
	masker, err := masking.Compile(p, in.Schema(), keys, nil)
	if err != nil {
		return nil, err
	}
	return masking.NewReader(ctx, &countedReader{RecordReader: in, rows: &r.jobs.read}, masker), nil
}

// countedReader counts records as they are read.
type countedReader struct {
	array.RecordReader
	rows *atomic.Int64
}

// Next reads on and counts.
func (c *countedReader) Next() bool {
	ok := c.RecordReader.Next()
	if ok {
		c.rows.Add(c.Record().NumRows())
	}
	return ok
}

func maskEvidence(d *governance.Decision, p *masking.Policy, m *release.Masked) *release.Evidence {
	ev := &release.Evidence{Registered: true, Masked: release.MaskedEvidence{
		K: m.K, LeastK: leastK(d), SuppressedPermille: m.SuppressedPermille, MaxPermille: sharePermille(d.Mask.MaxSuppression),
	}}
	for _, c := range p.Columns {
		if c.Class == masking.ClassDirect && c.Technique == masking.TechniqueKeep {
			ev.Masked.OpenIdentifiers++
		}
	}
	if d.Mask.Sample != nil {
		ev.Masked.SampleRate = sampleNano(d.Mask.Sample.Rate)
	}
	return ev
}

// permilleUp is part of whole in per mille, rounded up; of nothing it is 0.
func permilleUp(part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	return (part*1000 + whole - 1) / whole
}

// sharePermille reads a decimal share as per mille, rounded down; governance has checked its form.
func sharePermille(s string) int64 {
	share, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0
	}
	share.Mul(share, big.NewRat(1000, 1))
	return new(big.Int).Quo(share.Num(), share.Denom()).Int64()
}

// deliver puts the finished table under its final name, with its receipt beside it.
func (r *Runner) deliver(id string, rel *release.Opened) error {
	tmp, final := r.jobDir(id, true), r.jobDir(id, false)
	if _, err := os.Stat(final); err == nil {
		return nil
	}
	if err := errors.Join(writeFile(filepath.Join(tmp, receiptName), rel.Receipt), writeFile(filepath.Join(tmp, resultName), rel.Result)); err != nil {
		return err
	}
	if err := os.Rename(tmp, final); err != nil {
		return errors.New("job: deliver output")
	}
	return nil
}

// jobDir is the job's directory in the development zone; ids are hex of our own making.
func (r *Runner) jobDir(id string, tmp bool) string {
	name := filepath.Base(id)
	if tmp {
		name = ".building-" + name
	}
	return filepath.Join(r.o.DevZone, name)
}

func fileDigest(path string) (sum [32]byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, 0, errors.New("job: open output")
	}
	h := newFileHash()
	size, err = io.Copy(h, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return sum, 0, errors.New("job: read output")
	}
	h.Sum(sum[:0])
	return sum, size, nil
}
