package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
)

func (g *gateway) suspend(party, kind, id string) error {
	_, err := g.as(party).Governance.Suspend(ctx(), &apiv1.SuspendRequest{Kind: kind, Id: id, Reason: "测试"})
	return err
}

func (g *gateway) resume(party, kind, id string) error {
	_, err := g.as(party).Governance.Resume(ctx(), &apiv1.SuspendRequest{Kind: kind, Id: id, Reason: "测试"})
	return err
}

// Whatever is suspended is refused on the very next request, alone of all, and answered again after it
// was resumed by who may: a provider may stop its own dataset, a regulator may stop and not resume.
func TestR60_SuspensionTakesTheNextRequest(t *testing.T) {
	g := start(t, options{})
	n := common.people[0].RID
	ask := func() error { _, err := g.verify("leju", "housing", "urban", n); return err }
	for _, c := range []struct{ by, kind, id string }{
		{"shuju", "party", "leju"}, {"shuju", "agreement", "leju-use"}, {"shuju", "scenario", "housing"}, {"shuju", "dataset", "household"},
		{"gongan", "dataset", "household"}, {"jianguan", "scenario", "housing"}, {"shuju", "party", "yunying"}, {"shuju", "party", "gongan"},
	} {
		require.NoError(t, ask(), c)
		require.NoError(t, g.suspend(c.by, c.kind, c.id))
		g.refused(ask(), governance.Suspended, "六.7")
		if c.by != "shuju" {
			g.refused(g.resume(c.by, c.kind, c.id), governance.RoleNotAllowed, "八（一）")
			g.refused(ask(), governance.Suspended, "六.7")
		}
		require.NoError(t, g.resume("shuju", c.kind, c.id))
		require.NoError(t, ask(), c)
	}
	require.NoError(t, g.suspend("shuju", "party", "leju"))
	g.must("bank", "finance", "urban", n) // others go on
	for _, c := range []struct{ by, kind, id string }{
		{"bank", "party", "leju"}, {"minzheng", "dataset", "household"}, {"yunying", "party", "leju"}, {"leju", "party", "bank"}, {"gongan", "party", "leju"},
	} {
		g.refused(g.suspend(c.by, c.kind, c.id), governance.RoleNotAllowed, "八（一）")
	}
	g.refused(g.suspend("shuju", "party", "nobody"), governance.DanglingReference, governance.GatewayRule)
}

// A misusing unit that was paused stays paused over a restart and over a new domain file, also one that
// leaves it out and brings it back; and a stored answer is not given out again meanwhile.
func TestR64_SuspensionOutlivesRestartAndDomainFile(t *testing.T) {
	g := start(t, options{})
	in := keyed(t, "housing", "urban", common.people[3].RID)
	first, err := g.as("leju").Verify(ctx(), in)
	require.NoError(t, err)
	require.NoError(t, g.suspend("shuju", "party", "leju"))
	replay := func(g *gateway) error {
		_, err := g.as("leju").Verify(ctx(), proto.Clone(in).(*apiv1.VerifyRequest))
		return err
	}
	g.refused(replay(g), governance.Suspended, "六.7")
	g = g.restart()
	g.refused(replay(g), governance.Suspended, "六.7")

	apply := func(text string) {
		t.Helper()
		_, err := g.as("shuju").Governance.Apply(ctx(), &apiv1.ApplyRequest{Domain: []byte(text), Approvals: sign(t, text)})
		require.NoError(t, err)
	}
	text := domain(t, domainText)
	apply(text)
	g.refused(replay(g), governance.Suspended, "六.7")
	apply(withoutLines(text, "{party: leju"))
	g.refused(replay(g), governance.Suspended, "六.7")
	apply(text)
	g.refused(replay(g), governance.Suspended, "六.7")
	g = g.restart()
	g.refused(replay(g), governance.Suspended, "六.7")
	require.NoError(t, g.resume("shuju", "party", "leju"))
	again, err := g.as("leju").Verify(ctx(), proto.Clone(in).(*apiv1.VerifyRequest))
	require.NoError(t, err)
	sameAnswer(t, first, again)
}

func withoutLines(text, part string) string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, part) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// slowRegister is a CSV long enough for a job on it to be caught at work.
func slowRegister(t *testing.T, rows int) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(common.sources)))
	var b strings.Builder
	b.WriteString("sex,kind\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%d\n", i%2, i%7)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "slow.csv"), []byte(b.String()), 0o600))
	return dir
}

// slowDomain adds the long register and a masked table of it to the domain.
func slowDomain(t *testing.T) string {
	text := strings.Replace(domainText, "templates:\n", `  - id: slow
    name: 长表
    provider: gongan
    source: {kind: file, path: slow.csv, format: csv}
    version: "1"
    as_of: 2026-10-31
    privacy_unit: person
    subject: {row_number: true}
    sharing: conditional
    fields:
      - {name: sex, type: int64, class: quasi_identifier, grade: 2}
      - {name: kind, type: int64, class: quasi_identifier, grade: 2}

templates:
`, 1)
	text = strings.Replace(text, "masks:\n", `masks:
  - id: slow-sample
    dataset: slow
    k: 5
    max_suppression: "0.10"
    columns:
      - {name: sex, technique: keep}
      - {name: kind, technique: keep}
`, 1)
	return domain(t, strings.Replace(text, "masks: [household-sample]", "masks: [household-sample, slow-sample]", 1))
}

func (g *gateway) submit(mask string) *apiv1.Job {
	g.t.Helper()
	key, made, err := client.NewKey()
	require.NoError(g.t, err)
	job, err := g.as("yunying").Jobs.Submit(ctx(), &apiv1.SubmitRequest{Scenario: "housing", Mask: mask, IdempotencyKey: key, KeyTimeMs: made})
	require.NoError(g.t, err)
	return job
}

func (g *gateway) waitState(id string, state apiv1.JobState) *apiv1.Job {
	g.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		job, err := g.as("yunying").Jobs.Get(ctx(), &apiv1.GetJobRequest{Id: id})
		require.NoError(g.t, err)
		if job.GetState() >= state || time.Now().After(deadline) {
			return job
		}
		time.Sleep(time.Millisecond)
	}
}

// A suspension stops a job at work; what it had written is gone and nothing is delivered. A cancelled
// job leaves nothing either, and a job cut off by a stop of the gateway is done after the next start.
func TestR61_SuspensionStopsARunningJob(t *testing.T) {
	text := slowDomain(t)
	g := start(t, options{domain: text, approvals: sign(t, text), sources: slowRegister(t, 1_500_000)})
	job := g.submit("slow-sample")
	require.Equal(t, apiv1.JobState_JOB_STATE_RUNNING, g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_RUNNING).GetState())
	require.NoError(t, g.suspend("shuju", "dataset", "slow"))
	ended := g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_DONE)
	require.Equal(t, apiv1.JobState_JOB_STATE_REFUSED, ended.GetState())
	require.Equal(t, string(governance.Suspended), ended.GetRefusal().GetRule())
	require.Empty(t, ended.GetReceipt().GetReceipt())
	require.Empty(t, devzone(t, g))
	require.NoError(t, g.resume("shuju", "dataset", "slow"))

	job = g.submit("slow-sample")
	g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_RUNNING)
	_, err := g.as("yunying").Jobs.Cancel(ctx(), &apiv1.GetJobRequest{Id: job.GetId()})
	require.NoError(t, err)
	require.Equal(t, apiv1.JobState_JOB_STATE_CANCELLED, g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_DONE).GetState())
	require.Empty(t, devzone(t, g))

	job = g.submit("slow-sample")
	g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_RUNNING)
	g = g.restart()
	done := g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_DONE)
	require.Equal(t, apiv1.JobState_JOB_STATE_DONE, done.GetState(), done.GetProblem())
	require.Equal(t, int64(1_500_000), done.GetRows())
	g.holds(done.GetReceipt())
	require.Equal(t, []string{job.GetId()}, devzone(t, g))
}

func devzone(t *testing.T, g *gateway) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(g.data("devzone"))
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
