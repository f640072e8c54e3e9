package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job"
)

const pseudonymMasks = `masks:
  - id: linked
    dataset: people
    k: 2
    max_suppression: "0.10"
    columns:
      - {name: rid, technique: pseudonym, key: rid-1}
      - {name: phone, technique: fpe, params: {type: phone}, key: phone-1, malformed: suppress}
      - {name: sex, technique: keep}
      - {name: income, technique: microaggregate, params: {k: "5"}, nulls: suppress}
  - id: rotated
    dataset: people
    k: 2
    max_suppression: "0.10"
    columns:
      - {name: rid, technique: pseudonym, key: rid-2}
      - {name: sex, technique: keep}
  - id: noisy
    dataset: people
    k: 2
    max_suppression: "0.10"
    columns:
      - {name: sex, technique: keep}
      - {name: income, technique: perturb, params: {epsilon: "1", low: "0", high: "10"}}
  - id: sampled
    dataset: people
    k: 2
    max_suppression: "0.50"
    sample: {column: rid, rate: "0.0099"}
    columns:
      - {name: rid, technique: pseudonym, key: rid-1}
      - {name: sex, technique: keep}
      - {name: rare, technique: keep}
  - id: large-sample
    dataset: people
    k: 2
    max_suppression: "0.10"
    sample: {column: rid, rate: "0.01"}
    columns:
      - {name: sex, technique: keep}
`

const peopleRows = 40_000

// peopleRegister holds canaries in every identifier, a phone that is none, and an income that is missing.
func peopleRegister(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(common.sources)))
	var b strings.Builder
	b.WriteString("rid,phone,sex,income,rare\n")
	for i := range peopleRows {
		phone, income, rare := fmt.Sprintf("138%08d", i), fmt.Sprint(1000+i), "common"
		if i == 7 {
			phone = "nonsense-canary"
		}
		if i == 9 {
			income = ""
		}
		if i < 15 {
			rare = "r"
		}
		fmt.Fprintf(&b, "CANARY%010d,%s,%d,%s,%s\n", i, phone, i%2, income, rare)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "people.csv"), []byte(b.String()), 0o600))
	return dir
}

func pseudonymGateway(t *testing.T) *gateway {
	t.Helper()
	text := strings.Replace(domainText, "templates:\n", `  - id: people
    name: 人口
    provider: gongan
    source: {kind: file, path: people.csv, format: csv}
    version: "1"
    as_of: 2026-10-31
    privacy_unit: person
    subject: {row_number: true}
    sharing: conditional
    fields:
      - {name: rid, type: string, class: direct_identifier, grade: 3}
      - {name: phone, type: string, class: direct_identifier, grade: 3}
      - {name: sex, type: int64, class: quasi_identifier, grade: 2}
      - {name: income, type: int64, class: sensitive, grade: 3}
      - {name: rare, type: string, class: quasi_identifier, grade: 2}

templates:
`, 1)
	text = strings.Replace(text, "masks:\n", pseudonymMasks, 1)
	text = strings.Replace(text, "masks: [household-sample]", "masks: [household-sample, linked, rotated, noisy, sampled, large-sample]", 1)
	text = domain(t, text)
	return start(t, options{domain: text, approvals: sign(t, text), sources: peopleRegister(t)})
}

func (g *gateway) askMask(party, mask string) (*apiv1.Job, error) {
	g.t.Helper()
	key, made, err := client.NewKey()
	require.NoError(g.t, err)
	return g.as(party).Jobs.Submit(ctx(), &apiv1.SubmitRequest{Scenario: "housing", Mask: mask, IdempotencyKey: key, KeyTimeMs: made})
}

// masked runs a masked table to its end and gives its columns by name, row by row.
func (g *gateway) masked(party, mask string) (map[string][]string, *apiv1.Job) {
	g.t.Helper()
	job, err := g.askMask(party, mask)
	require.NoError(g.t, err)
	for deadline := time.Now().Add(time.Minute); job.GetState() < apiv1.JobState_JOB_STATE_DONE; time.Sleep(2 * time.Millisecond) {
		require.True(g.t, time.Now().Before(deadline))
		job, err = g.as(party).Jobs.Get(ctx(), &apiv1.GetJobRequest{Id: job.GetId()})
		require.NoError(g.t, err)
		require.LessOrEqual(g.t, job.GetRows(), int64(peopleRows))
	}
	require.Equal(g.t, apiv1.JobState_JOB_STATE_DONE, job.GetState(), "%s %s", job.GetProblem(), job.GetRefusal().GetRule())
	raw, err := os.ReadFile(g.data("devzone", job.GetOutput(), "data.parquet"))
	require.NoError(g.t, err)
	for _, canary := range []string{"CANARY", "13800000123", "nonsense"} {
		require.NotContains(g.t, string(raw), canary)
	}
	names, rows := parquetRows(g.t, raw)
	require.EqualValues(g.t, len(rows), job.GetRows())
	out := map[string][]string{}
	for _, row := range rows {
		for i, name := range names {
			out[name] = append(out[name], row[i])
		}
	}
	return out, job
}

func byRule(t *testing.T, err error, rule governance.Rule) {
	t.Helper()
	r := client.RefusalOf(err)
	require.NotNil(t, r, "%v", err)
	require.Equal(t, string(rule), r.GetRule())
	require.GreaterOrEqual(t, r.GetEntry(), int64(0), "it is in the log")
}

func alike(a, b []string) (n int) {
	in := map[string]bool{}
	for _, v := range a {
		in[v] = true
	}
	for _, v := range b {
		if in[v] {
			n++
		}
	}
	return n
}

// Two recipients get the same records under keys of their own: nothing in the place of an identifier
// is found in both. The same recipient, asking again, gets the same pseudonyms; another key name gives others.
func TestMaskedTablesOfTwoRecipientsCannotBeJoined(t *testing.T) {
	g := pseudonymGateway(t)
	a, job := g.masked("leju", "linked")
	again, _ := g.masked("leju", "linked")
	b, _ := g.masked("yunying", "linked")
	rotated, _ := g.masked("leju", "rotated")
	require.Len(t, a["rid"], peopleRows-1, "the record without an income is left out")
	require.NotEqual(t, a["rid"], again["rid"], "no two tables are in one order")
	require.Equal(t, slices.Sorted(slices.Values(a["rid"])), slices.Sorted(slices.Values(again["rid"])))
	require.Zero(t, alike(a["rid"], b["rid"]))
	require.Zero(t, alike(a["rid"], rotated["rid"]))
	same := 0
	for i := range a["phone"] {
		if a["phone"][i] == b["phone"][i] {
			same++
		}
	}
	require.Less(t, same, 5, "enciphered numbers agree by chance alone, and where there is none")

	g.holds(job.GetReceipt())
	params := statementOf(t, job.GetReceipt()).Technique.Params
	require.Equal(t, "pseudonym; key rid-1", params["column rid"])
	require.Equal(t, "fpe type=phone; key phone-1; malformed suppress", params["column phone"])
	require.Equal(t, "microaggregate k=5; nulls suppress", params["column income"])
	require.Len(t, params["policy_sm3"], 64)
}

// A destroyed key leaves an entry of its own kind whose statement anybody who knows the names can find.
// Jobs that need the key are refused, before and after a restart; those of others are not.
func TestDestroyedKeyIsRefusedAndStandsInTheLog(t *testing.T) {
	g := pseudonymGateway(t)
	g.masked("leju", "linked")
	before, _ := g.masked("yunying", "linked")
	_, err := g.as("leju").Governance.DestroyKey(ctx(), &apiv1.DestroyKeyRequest{Scenario: "housing", Recipient: "leju", Key: "rid-1"})
	byRule(t, err, governance.RoleNotAllowed)
	_, err = g.as("yunying").Governance.DestroyKey(ctx(), &apiv1.DestroyKeyRequest{Scenario: "housing", Key: "rid-1"})
	require.Error(t, err)
	code, body := g.rest("yunying", "POST", "/v1/keys:destroy", `{"scenario":"housing","recipient":"leju","key":"rid-1"}`)
	require.Equal(t, 200, code, string(body))
	out, err := g.as("shuju").Governance.DestroyKey(ctx(), &apiv1.DestroyKeyRequest{Scenario: "housing", Recipient: "leju", Key: "rid-1"})
	require.NoError(t, err, "it may be repeated")

	entry, err := g.as("yunying").Audit.Entry(ctx(), &apiv1.EntryRequest{Index: out.GetEntry()})
	require.NoError(t, err)
	parsed, err := audit.ParseEntry(entry.GetEntry())
	require.NoError(t, err)
	require.Equal(t, audit.KeyEvent, parsed.Kind)
	require.Equal(t, job.KeyStatement("housing", "leju", "rid-1"), parsed.Statement)
	page, err := g.as("jianguan").Audit.Search(ctx(), &apiv1.SearchRequest{Kind: "key-event"})
	require.NoError(t, err)
	require.Len(t, page.GetEntries(), 2)
	require.Equal(t, "key rid-1", page.GetEntries()[0].GetQuery())

	for range 2 {
		_, err = g.askMask("leju", "linked")
		byRule(t, err, governance.KeyDestroyed)
		g.masked("leju", "rotated")
		after, _ := g.masked("yunying", "linked")
		require.Equal(t, slices.Sorted(slices.Values(before["rid"])), slices.Sorted(slices.Values(after["rid"])))
		g = g.restart()
	}
}

// What jobs do not do is refused by rule before anything is read.
func TestMaskedTablesRefuseNoiseAndLargeSamples(t *testing.T) {
	g := pseudonymGateway(t)
	_, err := g.askMask("leju", "noisy")
	byRule(t, err, governance.PerturbRefused)
	_, err = g.askMask("leju", "large-sample")
	byRule(t, err, governance.SampleRate)
}

// A sample holds the same persons for everybody, under pseudonyms of their own, and nobody whose class
// is below 20 in the population.
func TestMaskedSamplesHoldTheSamePersons(t *testing.T) {
	g := pseudonymGateway(t)
	a, job := g.masked("leju", "sampled")
	b, _ := g.masked("yunying", "sampled")
	require.InDelta(t, peopleRows*0.0099, len(a["rid"]), 120)
	require.NotEqual(t, a["sex"], b["sex"], "no two tables are in one order")
	require.Equal(t, slices.Sorted(slices.Values(a["sex"])), slices.Sorted(slices.Values(b["sex"])), "the same records")
	require.Zero(t, alike(a["rid"], b["rid"]))
	require.NotContains(t, a["rare"], "r")
	s := statementOf(t, job.GetReceipt())
	require.Equal(t, "20", s.Technique.Params["k"])
	require.Contains(t, s.Technique.Params["sample"], "0.0099")
	var rules []string
	for _, c := range s.Checks {
		rules = append(rules, c.Rule)
	}
	require.Contains(t, rules, "masked-sample")
}
