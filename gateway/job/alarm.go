package job

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/yumen-project/yumen/gateway/alarms"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
)

// civil is the time zone in which hours are odd.
var civil = time.FixedZone("+08:00", 8*3600)

// tally counts what the unit was told, and nothing that a template merged: an alarm shows in the log's
// size and in the metrics, so it would tell an absent subject from a "no" otherwise.
func (w *question) tally(c release.Code) {
	switch c {
	case release.NotFound:
		w.absent++
	case release.Mismatch:
		w.mismatched++
	}
}

// watch shows a question that ended to the alarms and carries out what they say: a log entry, the
// hook of the server, and a suspension where the rule is set to suspend.
func (r *Runner) watch(ctx context.Context, w *question, err error) {
	var denied *release.Denied
	e := alarms.Event{
		Party: w.Party, Scenario: w.Scenario, At: time.UnixMilli(w.now).In(civil), Refused: errors.As(err, &denied),
		Asked: int64(len(w.people)), Absent: w.absent, Mismatched: w.mismatched, Used: w.used,
	}
	if w.decision != nil {
		e.Limit = w.decision.Limits.PerDay
	}
	if err != nil && !e.Refused {
		return
	}
	for _, a := range r.alarms.Observe(e) {
		r.raise(ctx, a)
	}
}

func (r *Runner) raise(ctx context.Context, a alarms.Alarm) {
	r.o.Logger.WarnContext(ctx, "alarm", slog.String("rule", string(a.Rule)), slog.String("party", a.Party),
		slog.String("scenario", a.Scenario), slog.Int64("value", a.Value), slog.Int64("threshold", a.Threshold))
	if r.o.OnAlarm != nil {
		r.o.OnAlarm(a)
	}
	if err := r.recordAlarm(ctx, a); err != nil {
		r.o.Logger.ErrorContext(ctx, "alarm not logged", slog.String("error", err.Error()))
	}
	if !r.o.SuspendOn[a.Rule] {
		return
	}
	_, err := r.Suspend(ctx, &spec.Suspension{Party: Local, Kind: governance.TargetParty, ID: a.Party, Reason: "alarm: " + string(a.Rule)})
	if err != nil {
		r.o.Logger.ErrorContext(ctx, "alarm did not suspend", slog.String("error", err.Error()))
	}
}

var alarmAAD = []byte("yumen/alarm/v1")

// recordAlarm makes the alarm an entry of the log; the public part is a hiding commitment.
func (r *Runner) recordAlarm(ctx context.Context, a alarms.Alarm) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	body, err := r.seal.Seal(nil, alarmAAD, text)
	if err != nil {
		return err
	}
	private, err := (&ledger.Record{Body: body}).AppendTo(nil)
	if err != nil {
		return err
	}
	var nonce receipt.Nonce
	if _, err := r.o.Rand.Read(nonce[:]); err != nil {
		return err
	}
	_, err = r.log.Append(ctx, audit.Record{Kind: audit.Outcome, Time: r.Now(), Statement: receipt.Commit("alarm", &nonce, text), Private: private})
	return err
}
