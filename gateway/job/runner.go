package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"

	"github.com/yumen-project/yumen/compute/dp"
	"github.com/yumen-project/yumen/gateway/alarms"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/gateway/release/rules"
)

// Runner is the composition. It is safe for concurrent use.
type Runner struct {
	o        Options
	log      *audit.Log
	ledger   *ledger.Ledger
	gate     *release.Gate
	seal     *keyring.Sealer
	subjects *keyring.MAC
	quotas   quotas
	noise    *dp.Pool
	alarms   *alarms.Watch
	trust    []byte

	state atomic.Pointer[state]
	// serving is set once datasets are mounted: from then on indexes are built aside gently.
	serving atomic.Bool
	// applying serialises domain files with all that they mount; changing, taken after it, every
	// change of the domain. domain is written by apply alone.
	applying sync.Mutex
	changing sync.Mutex
	domainMu sync.Mutex
	domain   *domain

	// judges hold the registries of exact tables, by dataset; under applying, or at the start. warmed is
	// closed when those of the start know what they knew before it.
	judges map[string]*judge
	warmed chan struct{}

	jobs jobQueue
	// searching lets one search read the log at a time.
	searching sync.Mutex
	// workers write to the log and end before it closes; background ends after the indexes do.
	workers    sync.WaitGroup
	closing    sync.Mutex // held to start a worker once others may close
	background sync.WaitGroup
	ctx        context.Context
	stop       context.CancelFunc
}

// Names in the ring of the keys a runner needs beside those of indexes.
const (
	CheckpointKeyName = "log"
	SealKeyName       = "results"
	SubjectKeyName    = "attempts"
)

// KeyName names the checkpoint key in signature lines.
const KeyName = "yumen"

// Origin of the log of a domain.
func Origin(domain string) string { return "yumen/" + domain }

// Open replays the log and mounts what it says. The error is a *audit.SealedError where log and
// checkpoint differ: then only health and audit may answer.
func Open(ctx context.Context, o Options) (*Runner, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &Runner{o: o, domain: newDomain(), ledger: ledger.New(), alarms: alarms.New(o.Alarms)}
	r.ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, dir := range []string{o.IndexDir, o.DevZone, o.TrustDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, errors.New("job: make directories")
		}
	}
	var err error
	if r.seal, err = o.Ring.Sealer(keyring.Seal, SealKeyName); err != nil {
		return nil, err
	}
	if r.subjects, err = o.Ring.MAC(keyring.Subject, SubjectKeyName); err != nil {
		return nil, err
	}
	if err := r.openNoise(); err != nil {
		return nil, err
	}
	if err := r.openLog(ctx); err != nil {
		r.stop()
		return nil, err
	}
	if err := r.begin(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Runner) openLog(ctx context.Context) error {
	signer, err := r.o.Ring.Signer(keyring.Checkpoint, CheckpointKeyName)
	if err != nil {
		return err
	}
	if r.trust, err = ensureTrust(r.o, signer.Public()); err != nil {
		return err
	}
	options := audit.Options{
		Dir: r.o.LogDir, CheckpointDir: r.o.CheckpointDir, Origin: Origin(r.o.Domain), KeyName: KeyName,
		Signer: checkpointSigner{signer}, Apply: r.apply, Clock: r.o.Clock, Logger: r.o.Logger,
		Verify: func(msg, sig []byte) bool { return signer.Public().Verify(keyring.Checkpoint, msg, sig) },
	}
	options.From = r.restore(ctx, options)
	if r.log, err = audit.Open(ctx, options); err != nil {
		return err
	}
	r.gate, err = release.NewGate(release.Options{
		Domain: r.o.Domain, Log: r.log, Seal: r.seal, Rules: rules.All(), Now: r.Now, Rand: r.o.Rand,
		Policy: func() *governance.Policy { return r.state.Load().policy },
		Trust:  receipt.TrustHash(r.trust), Build: r.o.Build,
	})
	return err
}

// begin writes the first frame of a new log, mounts the datasets and starts the jobs.
func (r *Runner) begin(ctx context.Context) error {
	r.state.Store(&state{policy: r.domain.policy})
	if r.log.Size() == 0 {
		hash := receipt.TrustHash(r.trust)
		if _, err := r.write(ctx, audit.Genesis, hash, &change{Genesis: &genesis{Domain: r.o.Domain, Trust: hash.String()}}); err != nil {
			return err
		}
	}
	if err := r.remount(ctx); err != nil {
		return err
	}
	r.startJobs()
	r.workers.Go(r.snapshots)
	r.workers.Go(r.drawNoise)
	if r.o.AttackHour != 0 {
		r.workers.Go(r.nightly)
	}
	return nil
}

// noiseDepth is how many draws of each scale are ready beforehand.
const noiseDepth = 4096

func (r *Runner) openNoise() error {
	source, err := dp.NewSource(r.o.Rand)
	if err != nil {
		return err
	}
	r.noise, err = dp.NewPool(source, noiseDepth)
	return err
}

func (r *Runner) drawNoise() {
	if err := r.noise.Run(r.ctx); err != nil {
		r.o.Logger.Error("noise ran out", slog.String("error", err.Error()))
	}
}

type checkpointSigner struct{ keyring.Signer }

func (s checkpointSigner) KeyID() [32]byte { return s.Public().ID() }

// Now is the later of the clock and the log, Unix milliseconds: a clock set back refills nothing.
func (r *Runner) Now() int64 { return r.ledger.Now(r.o.Clock()) }

// apply takes a durable frame, in log order, live and in replay. A change of the domain enters ledger
// and domain in one step, so that no snapshot falls between the two.
func (r *Runner) apply(f audit.Frame) error {
	if k := f.Entry.Kind; k == audit.Release || k == audit.Refusal || k == audit.Outcome {
		return r.ledger.Apply(f)
	}
	record, err := ledger.ParseRecord(f.Private)
	if err != nil {
		return err
	}
	p := past{Index: f.Index, Kind: f.Entry.Kind, Time: f.Entry.Time, Body: bytes.Clone(record.Body)}
	c, err := r.openChange(p.Body)
	if err != nil {
		return fmt.Errorf("frame %d: %w", p.Index, err)
	}
	r.domainMu.Lock()
	defer r.domainMu.Unlock()
	if err := r.ledger.Apply(f); err != nil {
		return err
	}
	if err := r.domain.take(c, p.Time); err != nil {
		return fmt.Errorf("frame %d: %w", p.Index, err)
	}
	r.domain.history = append(r.domain.history, p)
	return nil
}

// write makes a change durable. The caller holds changing where the change depends on the state.
func (r *Runner) write(ctx context.Context, kind audit.Kind, statement audit.Hash, c *change) (*audit.Appended, error) {
	private, err := r.sealChange(c)
	if err != nil {
		return nil, err
	}
	return r.log.Append(ctx, audit.Record{Kind: kind, Time: r.Now(), Statement: statement, Private: private})
}

// Checkpoint is the newest signed checkpoint.
func (r *Runner) Checkpoint() []byte { return r.log.Latest().Text }

// Trust is the trust file that receipts name by hash.
func (r *Runner) Trust() []byte { return bytes.Clone(r.trust) }

// Prove returns one public entry with its proof under the newest checkpoint.
func (r *Runner) Prove(ctx context.Context, index uint64) (entry []byte, proof [][]byte, checkpoint []byte, err error) {
	a, err := r.log.Prove(ctx, index)
	if err != nil {
		return nil, nil, nil, err
	}
	proof = make([][]byte, len(a.Proof))
	for i := range a.Proof {
		proof[i] = a.Proof[i][:]
	}
	return a.Entry, proof, a.Checkpoint.Text, nil
}

// Export writes the public log material into dir.
func (r *Runner) Export(ctx context.Context, dir string) error { return r.log.Export(ctx, dir) }

// Digest identifies the spent state: a replay of the log gives the same.
func (r *Runner) Digest() [32]byte { return r.ledger.Digest() }

// Close stops jobs, saves a snapshot, publishes the log and releases indexes.
func (r *Runner) Close() error {
	r.closing.Lock()
	r.stop()
	r.closing.Unlock()
	r.jobs.wait()
	r.workers.Wait()
	var errs []error
	if r.log != nil {
		if r.gate != nil {
			errs = append(errs, r.gate.Settle(context.WithoutCancel(r.ctx), math.MaxInt64))
		}
		_, err := r.save()
		errs = append(errs, err, r.log.Publish(context.WithoutCancel(r.ctx)), r.log.Close())
	}
	if s := r.state.Load(); s != nil {
		for _, m := range s.datasets {
			errs = append(errs, m.set.Close())
		}
	}
	r.background.Wait()
	return errors.Join(errs...)
}
