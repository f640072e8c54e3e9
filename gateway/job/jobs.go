package job

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
)

// jobChange is one state of a job, as a frame of the log.
type jobChange struct {
	ID      string     `json:"id"`
	State   spec.State `json:"state"`
	Party   string     `json:"party,omitempty"`
	Key     string     `json:"key,omitempty"`
	KeyTime int64      `json:"key_time,omitempty"`
	// Scenario and Mask are set by the first change.
	Scenario string `json:"scenario,omitempty"`
	Mask     string `json:"mask,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Problem  string `json:"problem,omitempty"`
	Rows     int64  `json:"rows,omitempty"`
	Release  uint64 `json:"release,omitempty"`
}

// jobRecord is a job as the log tells it.
type jobRecord struct {
	jobChange
	submitted, ended int64
}

// with is the record after one more change; the receiver may be nil and is not altered.
func (j *jobRecord) with(c *jobChange, at int64) *jobRecord {
	if j == nil {
		return &jobRecord{jobChange: *c, submitted: at}
	}
	next := *j
	next.State, next.Rule, next.Problem, next.Rows, next.Release = c.State, c.Rule, c.Problem, c.Rows, c.Release
	if c.State.Ended() {
		next.ended = at
	}
	return &next
}

func (j *jobRecord) view() *spec.JobView {
	v := &spec.JobView{
		ID: j.ID, Scenario: j.Scenario, Mask: j.Mask, State: j.State, Rule: j.Rule, Problem: j.Problem,
		Rows: j.Rows, SubmittedMS: j.submitted, EndedMS: j.ended,
	}
	if j.State == spec.Done {
		v.Output = j.ID
	}
	return v
}

// maxQueue bounds the jobs that wait.
const maxQueue = 256

// jobQueue runs jobs one at a time; two cores leave no room for more beside the answers.
type jobQueue struct {
	ids     chan string
	done    chan struct{}
	mu      sync.Mutex
	running string
	cancel  context.CancelCauseFunc
	read    atomic.Int64 // records read by the one running, over both passes
}

var errCancelled = errors.New("job: cancelled")

func (r *Runner) startJobs() {
	r.finishDestroying()
	r.jobs.ids, r.jobs.done = make(chan string, maxQueue), make(chan struct{})
	r.domainMu.Lock()
	var open []*jobRecord
	for _, j := range r.domain.jobs {
		if !j.State.Ended() {
			open = append(open, j)
		}
	}
	r.domainMu.Unlock()
	slices.SortFunc(open, func(a, b *jobRecord) int { return int(a.submitted - b.submitted) })
	for _, j := range open[:min(len(open), maxQueue)] {
		r.jobs.ids <- j.ID
	}
	go func() {
		defer close(r.jobs.done)
		for {
			select {
			case <-r.ctx.Done():
				return
			case id := <-r.jobs.ids:
				r.runJob(id)
			}
		}
	}()
}

func (q *jobQueue) wait() {
	if q.done != nil {
		<-q.done
	}
}

// Jobs is the runner's interface for work that stays in the development zone.
type Jobs struct{ r *Runner }

// Jobs of this runner.
func (r *Runner) Jobs() *Jobs { return &Jobs{r} }

// Submit starts a job. The same key for the same request is the same job.
func (j *Jobs) Submit(ctx context.Context, s *spec.Job) (*spec.JobView, error) {
	r := j.r
	policy := r.state.Load().policy
	ask := maskAsk(s, r.Now())
	if err := r.notReady(ctx, ask, policy); err != nil {
		return nil, err
	}
	if badKey(s.Key, s.KeyTime) {
		return nil, r.deny(ctx, ask, policy.Refuse(governance.IdempotencyMissing), nil)
	}
	if ledger.Outside(s.KeyTime.UnixMilli(), r.Now()) {
		return nil, r.deny(ctx, ask, policy.Refuse(governance.IdempotencyExpired), nil)
	}
	decision, refusal := policy.Decide(ask)
	if refusal == nil {
		refusal = r.maskRefusal(decision)
	}
	if refusal != nil {
		return nil, r.deny(ctx, ask, refusal, nil)
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	if old := r.jobWithKey(s.Party, s.Key); old != nil {
		if old.Scenario != s.Scenario || old.Mask != s.Mask {
			return nil, r.deny(ctx, ask, policy.Refuse(governance.IdempotencyConflict), nil)
		}
		return old.view(), nil
	}
	var id [12]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("draw job id: %w", err)
	}
	c := &jobChange{
		ID: hex.EncodeToString(id[:]), State: spec.Queued, Party: s.Party, Key: s.Key, KeyTime: s.KeyTime.UnixMilli(),
		Scenario: s.Scenario, Mask: s.Mask,
	}
	if len(r.jobs.ids) == cap(r.jobs.ids) {
		return nil, r.deny(ctx, ask, policy.Refuse(governance.QuotaExhausted), nil)
	}
	if err := r.changeJob(ctx, c); err != nil {
		return nil, err
	}
	r.jobs.ids <- c.ID
	return r.job(c.ID).view(), nil
}

// Get shows a job of the party. A job that is done comes with its release.
func (j *Jobs) Get(ctx context.Context, party, id string) (*spec.JobView, *release.Release, error) {
	rec := j.r.job(id)
	if rec == nil || rec.Party != party {
		return nil, nil, spec.ErrNoJob
	}
	if rec.State != spec.Done {
		return j.r.jobs.progress(rec.view()), nil, nil
	}
	rel, err := j.r.replayJob(ctx, rec)
	var refusal *governance.Refusal
	if errors.As(err, &refusal) {
		return rec.view(), nil, nil // done, but no longer this party's to see
	}
	return rec.view(), rel, err
}

// List shows the party's jobs, newest first.
func (j *Jobs) List(_ context.Context, party string) ([]*spec.JobView, error) {
	j.r.domainMu.Lock()
	defer j.r.domainMu.Unlock()
	var out []*spec.JobView
	for _, rec := range j.r.domain.jobs {
		if rec.Party == party {
			out = append(out, j.r.jobs.progress(rec.view()))
		}
	}
	slices.SortFunc(out, func(a, b *spec.JobView) int { return int(b.SubmittedMS - a.SubmittedMS) })
	return out, nil
}

// Cancel stops a job that has not ended.
func (j *Jobs) Cancel(ctx context.Context, party, id string) (*spec.JobView, error) {
	r := j.r
	rec := r.job(id)
	if rec == nil || rec.Party != party {
		return nil, spec.ErrNoJob
	}
	if !rec.State.Ended() && !r.jobs.interrupt(id, errCancelled) {
		if err := r.changeJob(ctx, &jobChange{ID: id, State: spec.Cancelled}); err != nil {
			return nil, err
		}
	}
	return r.job(id).view(), nil
}

// progress fills in how far the job at work is.
func (q *jobQueue) progress(v *spec.JobView) *spec.JobView {
	q.mu.Lock()
	defer q.mu.Unlock()
	if v.State == spec.Running && q.running == v.ID {
		v.Rows = q.read.Load() / passes
	}
	return v
}

// interrupt stops the job if it is the one running.
func (q *jobQueue) interrupt(id string, why error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running != id || q.cancel == nil {
		return false
	}
	q.cancel(why)
	return true
}

// recheck stops the running job if the policy in force would no longer permit it.
func (q *jobQueue) recheck(r *Runner) {
	q.mu.Lock()
	id := q.running
	q.mu.Unlock()
	rec := r.job(id)
	if rec == nil {
		return
	}
	decision, refusal := r.state.Load().policy.Decide(rec.ask(r.Now()))
	if refusal == nil {
		refusal = r.maskRefusal(decision)
	}
	if refusal != nil {
		q.interrupt(id, refusal)
	}
}

func (r *Runner) job(id string) *jobRecord {
	r.domainMu.Lock()
	defer r.domainMu.Unlock()
	return r.domain.jobs[id]
}

func (r *Runner) jobWithKey(party, key string) *jobRecord {
	r.domainMu.Lock()
	defer r.domainMu.Unlock()
	for _, j := range r.domain.jobs {
		if j.Party == party && j.Key == key {
			return j
		}
	}
	return nil
}

func (r *Runner) changeJob(ctx context.Context, c *jobChange) error {
	var nonce receipt.Nonce
	if _, err := r.o.Rand.Read(nonce[:]); err != nil {
		return fmt.Errorf("draw nonce: %w", err)
	}
	_, err := r.write(ctx, audit.Job, receipt.Commit("job", &nonce, []byte(c.ID)), &change{Job: c})
	return err
}

func maskAsk(s *spec.Job, now int64) *governance.Ask {
	return &governance.Ask{Party: s.Party, Scenario: s.Scenario, Act: governance.ActMask, Query: s.Mask, At: time.UnixMilli(now)}
}

func (j *jobRecord) ask(now int64) *governance.Ask {
	return maskAsk(&spec.Job{Party: j.Party, Scenario: j.Scenario, Mask: j.Mask}, now)
}

func (r *Runner) jobIdem(j *jobRecord) *ledger.Idem {
	return r.idem(&spec.Question{
		Kind: maskKind, Party: j.Party, Scenario: j.Scenario, Query: j.Mask, Key: j.ID,
		KeyTime: time.UnixMilli(j.KeyTime),
	})
}

// maskKind keeps the request hash of a masked table apart from those of questions.
const maskKind spec.Kind = 100
