package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
)

// TestR38_AnAlarmStopsAndReports guesses phones until the burst of failed matches is noticed: the alarm
// is an entry of the log, a metric, and suspends the unit from the next question on.
func TestR38_AnAlarmStopsAndReports(t *testing.T) {
	g := start(t, options{flags: map[string]string{"alarms-thresholds": "failed-matches=2", "alarms-suspend": "failed-matches"}})
	person := common.town.Person(1)
	guess := func(phone string) error {
		in := keyed(t, "finance", "same-person", person.RID)
		in.Subject = &apiv1.Subject{Number: person.RID, Name: person.Name, Phone: phone}
		_, err := g.as("bank").Verify(ctx(), in)
		return err
	}
	require.NoError(t, guess("13900000001"))
	require.NoError(t, guess("13900000002"))
	refused := g.refused(guess(person.Phone), governance.Suspended, "六.7")
	require.Equal(t, audit.Outcome, g.entry(refused.GetEntry()-2).Kind, "the alarm is in the log")
	require.Equal(t, audit.Suspension, g.entry(refused.GetEntry()-1).Kind)
	code, _ := g.rest("leju", "GET", "/metrics", "")
	require.Equal(t, 403, code, "metrics tell of everybody's calls")
	_, page := g.rest("jianguan", "GET", "/metrics", "")
	require.Contains(t, string(page), `yumen_alarms_total{rule="failed-matches"} 1`)
	require.NotContains(t, g.logs.String(), person.RID)
}
