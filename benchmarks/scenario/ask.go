package scenario

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// Errors of an asker; each ends a measurement.
var (
	ErrWrong      = errors.New("scenario: an answer differs from what the city knows")
	ErrStale      = errors.New("scenario: an answer was of another version of the register than it had to be")
	ErrReceipt    = errors.New("scenario: a receipt does not verify")
	ErrUnlogged   = errors.New("scenario: the log has fewer entries than answers were given")
	ErrCheckpoint = errors.New("scenario: checkpoint unreadable")
)

// How often a receipt is kept to be verified, and how many at most until the next Check: those of
// batches are few and large.
const (
	verifyEvery, verifyMost = 256, 512
	batchEvery, batchMost   = 16, 8
)

// Asker puts questions through clients of one unit, compares every answer and
// keeps a sample of receipts. It is safe for concurrent use.
type Asker struct {
	clients   []*client.Client
	questions *Questions
	asOf      atomic.Pointer[string] // of every answer; nil while an index is being swapped
	prefix    string
	keys      atomic.Uint64
	answers   atomic.Int64

	mu     sync.Mutex
	sample []*apiv1.Receipt
}

// NewAsker asks through the clients in turn: worker w uses client w modulo their number.
func NewAsker(clients []*client.Client, q *Questions) (*Asker, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, fmt.Errorf("draw key prefix: %w", err)
	}
	return &Asker{clients: clients, questions: q, prefix: hex.EncodeToString(b[:])}, nil
}

// Expect makes every later answer fail that is not as of that day; "" allows any.
func (a *Asker) Expect(asOf string) {
	if asOf == "" {
		a.asOf.Store(nil)
		return
	}
	a.asOf.Store(&asOf)
}

// key is an idempotency key never used before.
func (a *Asker) key() string {
	return a.prefix + "-" + strconv.FormatUint(a.keys.Add(1)+1<<60, 16)
}

// Verify asks the next question.
func (a *Asker) Verify(ctx context.Context, worker int) error {
	q, asOf := a.questions.Next(), a.asOf.Load()
	out, err := a.clients[worker%len(a.clients)].Verification.Verify(ctx, &apiv1.VerifyRequest{
		Scenario: Scenario, Template: a.questions.Template, Subject: q.Subject, IdempotencyKey: a.key(), KeyTimeMs: time.Now().UnixMilli(),
	})
	switch {
	case err != nil:
		return fmt.Errorf("verify: %w", err)
	case out.GetAnswer() != q.Want:
		return ErrWrong
	case asOf != nil && out.GetDataAsOf() != *asOf:
		return ErrStale
	}
	a.keep(out.GetReceipt(), verifyEvery, verifyMost)
	return nil
}

// Batch asks the next size questions under one receipt.
func (a *Asker) Batch(ctx context.Context, worker, size int) error {
	in := &apiv1.VerifyBatchRequest{
		Scenario: Scenario, Template: a.questions.Template, IdempotencyKey: a.key(), KeyTimeMs: time.Now().UnixMilli(),
		Subjects: make([]*apiv1.Subject, size),
	}
	want := make([]apiv1.Answer, size)
	for i := range size {
		q := a.questions.Next()
		in.Subjects[i], want[i] = q.Subject, q.Want
	}
	out, err := a.clients[worker%len(a.clients)].Verification.VerifyBatch(ctx, in)
	if err != nil {
		return fmt.Errorf("verify batch: %w", err)
	}
	if len(out.GetAnswers()) != size {
		return ErrWrong
	}
	for i, answer := range out.GetAnswers() {
		if answer != want[i] {
			return ErrWrong
		}
	}
	a.keep(out.GetReceipt(), batchEvery, batchMost)
	return nil
}

func (a *Asker) keep(r *apiv1.Receipt, every int64, most int) {
	if (a.answers.Add(1)-1)%every != 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sample) < most {
		a.sample = append(a.sample, r)
	}
}

// Answers is the number of calls answered so far.
func (a *Asker) Answers() int64 { return a.answers.Load() }

// Check verifies the receipts kept since the last call against the trust file
// that the gateway hands out, and that the log is as long as answers were given.
// dir is where the trust file is put. It returns the number of receipts.
func (a *Asker) Check(ctx context.Context, dir string) (int, error) {
	trust, err := a.trust(ctx, filepath.Join(dir, "trusted"))
	if err != nil {
		return 0, err
	}
	a.mu.Lock()
	sample := a.sample
	a.sample = nil
	a.mu.Unlock()
	for _, r := range sample {
		if report := receipt.Verify(r.GetReceipt(), r.GetResult(), trust, time.Now()); !report.OK() {
			return 0, fmt.Errorf("%w: claim %s", ErrReceipt, report.Failed())
		}
	}
	size, err := a.logSize(ctx)
	if err != nil {
		return 0, err
	}
	if size < a.Answers() {
		return 0, ErrUnlogged
	}
	return len(sample), nil
}

func (a *Asker) trust(ctx context.Context, dir string) (*receipt.TrustSet, error) {
	t, err := a.clients[0].Audit.Trust(ctx, &apiv1.TrustRequest{})
	if err != nil {
		return nil, fmt.Errorf("get trust: %w", err)
	}
	if os.MkdirAll(dir, 0o700) != nil || os.WriteFile(filepath.Join(dir, "trust.json"), t.GetTrust(), 0o600) != nil {
		return nil, ErrDirectory
	}
	return receipt.LoadTrust(os.DirFS(dir))
}

// logSize reads the second line of the newest checkpoint.
func (a *Asker) logSize(ctx context.Context) (int64, error) {
	c, err := a.clients[0].Audit.Checkpoint(ctx, &apiv1.CheckpointRequest{})
	if err != nil {
		return 0, fmt.Errorf("get checkpoint: %w", err)
	}
	lines := strings.SplitN(c.GetCheckpoint(), "\n", 3)
	if len(lines) < 3 {
		return 0, ErrCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, ErrCheckpoint
	}
	return size, nil
}
