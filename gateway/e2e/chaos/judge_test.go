package chaos

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// delivered is one answer as its caller got it.
type delivered struct {
	key       string
	index     uint64
	statement audit.Hash
	result    audit.Hash
}

// book is what callers remember: answers in the order they got them, and the keys of all they asked.
type book struct {
	mu      sync.Mutex
	answers []delivered
	byKey   map[string]int
}

func newBook() *book { return &book{byKey: map[string]int{}} }

// take notes an answer; false when the key had another one.
func (b *book) take(key string, file, result []byte) (bool, error) {
	parts, err := receipt.ParseReceipt(file)
	if err != nil {
		return false, err
	}
	d := delivered{key, parts.Index, receipt.StatementHash(parts.Statement), audit.HashOf(result)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, ok := b.byKey[key]; ok {
		return b.answers[at] == d, nil
	}
	b.byKey[key] = len(b.answers)
	b.answers = append(b.answers, d)
	return true, nil
}

func (b *book) has(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.byKey[key]
	return ok
}

func (b *book) upTo(n int) []delivered {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n < 0 {
		n = len(b.answers)
	}
	return b.answers[:n:n]
}

// forget is what a kill does to answers that were on their way: gives the keys of those.
func (b *book) forget(n int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var keys []string
	for _, d := range b.answers[n:] {
		delete(b.byKey, d.key)
		keys = append(keys, d.key)
	}
	b.answers = b.answers[:n]
	return keys
}

// place is where the files of one gateway lie.
type place struct{ log, second, keys string }

func placeIn(dir string) place {
	return place{filepath.Join(dir, "log"), filepath.Join(dir, "checkpoint"), filepath.Join(dir, "keys")}
}

type signer struct{ keyring.Signer }

func (s signer) KeyID() [32]byte { return s.Public().ID() }

// options open the log of a place; keys that are not there are not made.
func (p place) options() (audit.Options, *keyring.Ring, error) {
	ring, err := keyring.Open(p.keys, keyring.Options{Production: false, Rand: noRand{}})
	if err != nil {
		return audit.Options{}, nil, err
	}
	s, err := ring.Signer(keyring.Checkpoint, job.CheckpointKeyName)
	if err != nil {
		return audit.Options{}, nil, err
	}
	return audit.Options{
		Dir: p.log, CheckpointDir: p.second, Origin: job.Origin(domainID), KeyName: job.KeyName, Signer: signer{s}, Clock: time.Now,
		Verify: func(msg, sig []byte) bool { return s.Public().Verify(keyring.Checkpoint, msg, sig) },
	}, ring, nil
}

type noRand struct{}

func (noRand) Read([]byte) (int, error) { return 0, fmt.Errorf("the judge draws nothing") }

// folded is a log read from its first frame by somebody else than the gateway.
type folded struct {
	statements []audit.Hash
	spent      map[ledger.Account]int64
	charged    map[[16]byte]int // frames by idempotency key
	serials    map[uint64]int
	ledger     *ledger.Ledger
	report     *audit.FsckReport
	frames     int64
}

// fold reads every frame of a place.
func fold(p place) (*folded, error) {
	o, _, err := p.options()
	if err != nil {
		return nil, err
	}
	f := &folded{spent: map[ledger.Account]int64{}, charged: map[[16]byte]int{}, serials: map[uint64]int{}, ledger: ledger.New()}
	o.Apply = f.apply
	f.report, err = audit.Fsck(context.Background(), o)
	return f, err
}

func (f *folded) apply(frame audit.Frame) error {
	r, err := ledger.ParseRecord(frame.Private)
	if err != nil {
		return err
	}
	f.frames++
	f.statements = append(f.statements, frame.Entry.Statement)
	for _, c := range r.Charges {
		f.spent[c.Account] += c.Amount
	}
	if r.Idem != nil {
		f.charged[r.Idem.Key]++
	}
	if r.Serial != 0 {
		f.serials[r.Serial]++
	}
	return f.ledger.Apply(frame)
}

const domainID = "chaos"

// limits of the domain file, which the judge knows on its own. Accounts are named by digests: those of
// quotas can be named from outside, those of attempts hold a keyed digest of the subject.
var (
	kindLimits = map[ledger.AccountKind]int64{
		ledger.Quota: 10_000_000, ledger.Attempts: 3, ledger.ConsentUse: 120, ledger.PrivacyRho: 70_000_000, ledger.UnitRho: 40_000_000,
		ledger.PrivacyDelta: 1_000_000,
	}
	quotaLimits = map[ledger.Scope]int64{
		scope("quota", "leju", "narrow"): 50, scope("quota", "bank", "narrow"): 200,
		scope("quota", "leju", "housing"): 100_000, scope("quota", "yunying", "housing"): 100_000, scope("quota", "hunlian", "marriage"): 100_000,
	}
)

func scope(names ...string) ledger.Scope {
	var b []byte
	for _, s := range names {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	sum := audit.HashOf(b)
	return ledger.Scope(sum[:16])
}

// judge holds the frames of a stopped gateway against the law and against what was delivered.
func judge(t *testing.T, c *counts, at string, p place, got []delivered) *folded {
	t.Helper()
	f, err := fold(p)
	if err != nil {
		t.Fatalf("%s: seed %d: the log does not fold: %v", at, run.seed, err)
	}
	c.Frames += f.frames
	say := func(n *int64, format string, args ...any) {
		add(n)
		t.Errorf("%s: seed %d: %s", at, run.seed, fmt.Sprintf(format, args...))
	}
	seen := map[uint64]bool{}
	for _, d := range got {
		switch {
		case d.index >= uint64(len(f.statements)) || f.statements[d.index] != d.statement:
			say(&c.WithoutEntry, "an answer at %d has no frame in %d", d.index, len(f.statements))
		case seen[d.index]:
			say(&c.DoubleCharges, "frame %d stands for two answers", d.index)
		}
		seen[d.index] = true
	}
	for a, sum := range f.spent {
		limit, ok := kindLimits[a.Kind]
		if l, own := quotaLimits[a.Scope]; own {
			limit = l
		}
		if ok && sum > limit {
			say(&c.Overspends, "account of kind %d, period %d: %d spent of %d", a.Kind, a.Period, sum, limit)
		}
	}
	for _, n := range f.charged {
		if n > 1 {
			say(&c.DoubleCharges, "one key is in %d frames", n)
		}
	}
	for serial, n := range f.serials {
		if n > 1 {
			say(&c.DoubleCharges, "serial %d stands in %d frames", serial, n)
		}
	}
	return f
}

var quiet = slog.New(slog.DiscardHandler)
