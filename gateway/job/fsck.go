package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// FsckOptions name a log that no gateway holds; every field is required. The ring must not make keys.
type FsckOptions struct {
	Domain                string
	LogDir, CheckpointDir string
	Ring                  *keyring.Ring
	Clock                 func() time.Time
	Logger                *slog.Logger
}

// FsckReport is what a whole replay found.
type FsckReport struct {
	Log *audit.FsckReport
	// Digest identifies the spent state that the frames lead to.
	Digest [32]byte
	// Snapshot is the size of the log that the newest snapshot belongs to; Found tells whether there is one.
	Snapshot uint64
	Found    bool
	// Agrees tells that the state replayed up to Snapshot is byte for byte the one saved.
	Agrees bool
	// BadSnapshots counts newer ones that are damaged or not signed.
	BadSnapshots int
}

// Fsck reads every frame, recomputes the tree, replays the ledger and the domain from the first frame
// on, and compares all with what is stored: tiles, checkpoints, the newest snapshot. It changes nothing.
// Errors: audit.ErrLocked while a gateway holds the log, *audit.SealedError for what cannot be repaired.
func Fsck(ctx context.Context, o FsckOptions) (*FsckReport, error) {
	signer, err := o.Ring.Signer(keyring.Checkpoint, "log")
	if err != nil {
		return nil, err
	}
	seal, err := o.Ring.Sealer(keyring.Seal, "results")
	if err != nil {
		return nil, err
	}
	c := &fsck{r: &Runner{domain: newDomain(), ledger: ledger.New(), seal: seal}, report: &FsckReport{}}
	options := audit.Options{
		Dir: o.LogDir, CheckpointDir: o.CheckpointDir, Origin: Origin(o.Domain), KeyName: KeyName,
		Signer: checkpointSigner{signer}, Apply: c.apply, Clock: o.Clock, Logger: o.Logger,
		Verify: func(msg, sig []byte) bool { return signer.Public().Verify(keyring.Checkpoint, msg, sig) },
	}
	options.From, c.report.BadSnapshots, err = audit.NewestSnapshot(ctx, options, snapshotName)
	if err != nil && !errors.Is(err, audit.ErrNoSnapshot) {
		return nil, err
	}
	c.from = options.From
	if c.report.Log, err = audit.Fsck(ctx, options); err != nil {
		return nil, err
	}
	if err := c.meet(c.r.ledger.Size()); err != nil {
		return nil, err
	}
	c.report.Digest = c.r.ledger.Digest()
	return c.report, nil
}

// fsck replays into a runner that serves nothing.
type fsck struct {
	r      *Runner
	from   *audit.Snapshot
	report *FsckReport
}

func (c *fsck) apply(f audit.Frame) error {
	if err := c.meet(f.Index); err != nil {
		return err
	}
	return c.r.apply(f)
}

// meet compares the state with the snapshot's at the size it belongs to.
func (c *fsck) meet(size uint64) error {
	if c.from == nil || c.report.Found || size != c.from.Index {
		return nil
	}
	c.report.Found, c.report.Snapshot = true, size
	_, payload, err := c.r.encode()
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	c.report.Agrees = bytes.Equal(payload, c.from.Payload)
	return nil
}
