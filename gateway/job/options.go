package job

import (
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/alarms"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
)

// Local is the party of the machine's own operator: the file given at start and the administration
// token. It may put a domain in force and suspend, and ask nothing.
const Local = "@local"

// Options of a runner; all but CacheBytes, ApplyWithin and what concerns alarms is required.
type Options struct {
	// Domain is the id of the data domain, part of the log's origin.
	Domain string
	// LogDir and CheckpointDir hold the log and its checkpoints, best on two volumes.
	LogDir, CheckpointDir string
	// IndexDir holds sealed indexes, DevZone the development zone, TrustDir the trust file.
	IndexDir, DevZone, TrustDir string
	Ring                        *keyring.Ring
	// Source opens the register a dataset names.
	Source func(d *governance.Dataset) (connectors.Source, error)
	Build  string
	Clock  func() time.Time
	Rand   io.Reader
	Logger *slog.Logger
	// Alarms are the thresholds of misuse; OnAlarm, if set, is told of each alarm; a rule in SuspendOn
	// also suspends the party.
	Alarms    alarms.Thresholds
	OnAlarm   func(alarms.Alarm)
	SuspendOn map[alarms.Rule]bool
	// AttackHour is the hour in Asia/Shanghai, 1 to 24, in which released tables are attacked every night;
	// 0 switches that off. OnAttack, if set, is told how many columns of a dataset came to each outcome.
	AttackHour int
	OnAttack   func(dataset string, outcomes map[string]int)
	// Ready, if set, names the rule by which questions are refused now, or "": it is asked before each.
	Ready func() governance.Rule
	// ApplyWithin bounds how long a domain file may take to be put in force, its registrations included;
	// 0 means 2 hours.
	ApplyWithin time.Duration
	// CacheBytes bounds the block cache of each index; 0 means 64 MiB.
	CacheBytes int64
}

func (o *Options) check() error {
	if o.Domain == "" || o.LogDir == "" || o.CheckpointDir == "" || o.IndexDir == "" || o.DevZone == "" || o.TrustDir == "" ||
		o.Ring == nil || o.Source == nil || o.Build == "" || o.Clock == nil || o.Rand == nil || o.Logger == nil {
		return errors.New("job: options incomplete")
	}
	if o.AttackHour < 0 || o.AttackHour > 24 {
		return errors.New("job: attack hour out of range")
	}
	if o.ApplyWithin < 0 {
		return errors.New("job: time to apply a domain file is negative")
	}
	if o.ApplyWithin == 0 {
		o.ApplyWithin = 2 * time.Hour
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	return nil
}
