package job

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/alarms"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// reports gives what a party finds when it searches for reports, newest first, each checked against the
// trust file and the log.
func (w *room) reports(party string) []Report {
	w.t.Helper()
	page, err := w.r.Search(context.Background(), &spec.Search{Caller: party, Kind: audit.Registration.String(), Limit: spec.MaxSearch})
	require.NoError(w.t, err)
	trust, err := receipt.ParseTrust(w.r.Trust())
	require.NoError(w.t, err)
	key, err := keyring.ParsePublicKey(trust.CheckpointKey)
	require.NoError(w.t, err)
	var out []Report
	for _, e := range page.Entries {
		if len(e.Report) == 0 {
			require.Empty(w.t, e.ReportSignature)
			continue
		}
		message := ReportMessage(trust.Origin, e.Report)
		require.True(w.t, key.Verify(keyring.Checkpoint, message, e.ReportSignature))
		require.False(w.t, key.Verify(keyring.Checkpoint, ReportMessage(trust.Origin, append(e.Report, ' ')), e.ReportSignature))
		f, err := w.r.log.Frame(context.Background(), e.Index)
		require.NoError(w.t, err)
		require.Equal(w.t, audit.HashOf(append(message, e.ReportSignature...)), f.Entry.Statement, "the log holds this report")
		var one Report
		require.NoError(w.t, json.Unmarshal(e.Report, &one))
		out = append(out, one)
	}
	return out
}

// Registration leaves a signed report that the authority and the provider find, and nobody else.
func TestRegistrationLeavesASignedReport(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	w.apply("1", allByDistrict, below60, fromAbove)
	got := w.reports("shuju")
	require.Len(t, got, 1)
	require.Equal(t, got, w.reports("zhujian"))
	require.Empty(t, w.reports("bank"))
	nonce, err := hex.DecodeString(got[0].Nonce)
	require.NoError(t, err)
	require.Len(t, nonce, 32)
	require.Equal(t, "registration", got[0].Act)
	require.Equal(t, []ReportTable{
		{IDs: []string{"all"}, Outcome: outRegistered, Cells: 4},
		{IDs: []string{"below60", "alias60"}, Outcome: outRegistered, Cells: 4, Withheld: 2},
	}, got[0].Tables)
	require.EqualValues(t, 10, got[0].MinimumSubjects)
	w.apply("1", allByDistrict, below60, fromAbove)
	w.restart()
	require.Len(t, w.reports("shuju"), 1, "nothing was judged again")
}

// A report on a table that could not be told says so and gives no figure of it.
func TestReportOfARefusedTableHasNoFigures(t *testing.T) {
	b := town()
	for i := range b.rows {
		b.rows[i][2] = "30"
		if i < 8 {
			b.rows[i][2] = "60"
		}
	}
	w := newRoom(t, b)
	defer func() { w.close() }()
	w.apply("1", allByDistrict)
	w.apply("1", allByDistrict, below60)
	got := w.reports("zhujian")
	require.Len(t, got, 2)
	require.Equal(t, []ReportTable{{IDs: []string{"below60"}, Outcome: outRefused}}, got[0].Tables)
	require.Equal(t, 1, got[0].JudgedWith)
	w.book.broken = true
	w.apply("2", allByDistrict)
	require.Equal(t, []ReportTable{{IDs: []string{"all"}, Outcome: outUnread}}, w.reports("zhujian")[0].Tables)
}

// The attack runs once a night, also over a restart, and tells columns and outcomes alone.
func TestNightlyAttackIsReported(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	w.apply("1", `{id: cross, dataset: housing, group_by: [district, lien], measures: [{kind: count}]}`)
	told := map[string]map[string]int{}
	var raised []alarms.Alarm
	night := time.UnixMilli(w.r.Now()).In(civil)
	hours := func() {
		w.r.o.AttackHour = night.Hour()
		if w.r.o.AttackHour == 0 {
			w.r.o.AttackHour = 24
		}
		w.r.o.OnAttack = func(dataset string, outcomes map[string]int) { told[dataset] = outcomes }
		w.r.o.OnAlarm = func(a alarms.Alarm) { raised = append(raised, a) }
	}
	hours()
	w.r.attackDue(context.Background(), night.Add(time.Hour))
	require.Empty(t, told, "not its hour")
	w.r.attackDue(context.Background(), night)
	require.Equal(t, map[string]int{outBelow: 2, outAbove: 0, outUntried: 0}, told["housing"])
	require.Empty(t, raised)
	got := w.reports("shuju")[0]
	require.Equal(t, "reconstruction", got.Act)
	require.Equal(t, map[string]string{"district": outBelow, "lien": outBelow}, got.Columns)
	require.EqualValues(t, 600, got.RecoveryLimit)

	w.restart()
	hours()
	size := w.r.log.Size()
	w.r.attackDue(context.Background(), night)
	require.Equal(t, size, w.r.log.Size(), "once a day")
	require.NoError(t, w.r.AttackDataset(context.Background(), "housing"))
	require.ErrorIs(t, w.r.AttackDataset(context.Background(), "other"), errData)
}

// An attack that recovers too much raises an alarm, which is an entry of its own.
func TestNightlyAttackRaisesAnAlarm(t *testing.T) {
	b := town()
	for i := range b.rows { // each district has one value of lien
		b.rows[i][4] = map[bool]string{true: "true", false: "false"}[i%4 < 2]
	}
	w := newRoom(t, b)
	defer func() { w.close() }()
	w.apply("1", `{id: cross, dataset: housing, group_by: [district, lien], measures: [{kind: count}]}`)
	var raised []alarms.Alarm
	w.r.o.OnAlarm = func(a alarms.Alarm) { raised = append(raised, a) }
	require.NoError(t, w.r.AttackDataset(context.Background(), "housing"))
	require.Len(t, raised, 1)
	require.Equal(t, Reconstruction, raised[0].Rule)
	require.Contains(t, w.reports("shuju")[0].Columns, "lien")
	require.Equal(t, outAbove, w.reports("shuju")[0].Columns["lien"])
	page, err := w.r.Search(context.Background(), &spec.Search{Caller: "shuju", Kind: audit.Outcome.String()})
	require.NoError(t, err)
	require.Len(t, page.Entries, 1)
	require.Equal(t, string(Reconstruction), page.Entries[0].Rule)
}
