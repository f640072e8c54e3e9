package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/governance"
)

// apply puts a domain file in force as the authority.
func (g *gateway) apply(text string, approvals []byte) (*apiv1.ApplyResponse, error) {
	return g.as("shuju").Governance.Apply(ctx(), &apiv1.ApplyRequest{Domain: []byte(text), Approvals: approvals})
}

// notApplied demands that a file is refused with a line, the rule and the article, and that nothing of it
// is in force.
func (g *gateway) notApplied(text string, rule governance.Rule, article string) {
	g.t.Helper()
	_, err := g.apply(text, nil)
	require.Equal(g.t, codes.InvalidArgument, status.Code(err), "%v", err)
	require.Contains(g.t, err.Error(), string(rule))
	require.Contains(g.t, err.Error(), article)
	require.Regexp(g.t, `line [1-9][0-9]*`, err.Error())
	g.must("bank", "finance", "urban", common.people[0].RID)
}

func edited(t *testing.T, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, domainText, pairs[i])
	}
	return domain(t, domainText, pairs...)
}

// The catalogue shows fields with class and grade, what may be asked, and no row; a unit sees what its
// scenarios name and no more.
func TestR1_CatalogueShowsNoRows(t *testing.T) {
	g := start(t, options{})
	out, err := g.as("yunying").Governance.Catalogue(ctx(), &apiv1.CatalogueRequest{})
	require.NoError(t, err)
	require.Len(t, out.GetDatasets(), 4)
	text := out.String()
	_, web := g.rest("yunying", http.MethodGet, "/v1/catalogue", "")
	for i := range common.people {
		p := &common.people[i]
		for _, value := range []string{p.RID, p.Phone, p.HouseholdID} {
			require.False(t, strings.Contains(text, value) || strings.Contains(string(web), value))
		}
	}
	require.NotContains(t, string(web), ".parquet")
	mine, err := g.as("hunlian").Governance.Catalogue(ctx(), &apiv1.CatalogueRequest{})
	require.NoError(t, err)
	for _, d := range mine.GetDatasets() {
		require.Contains(t, []string{"civil", "household"}, d.GetId())
	}
	for _, i := range mine.GetItems() {
		require.Equal(t, []string{"marriage"}, i.GetScenarios())
	}
}

// A field without class or grade is refused in a template, in a table and in a masked table.
func TestR3_UngradedFieldIsRefusedEverywhere(t *testing.T) {
	text := edited(t, "group_by: [mortgaged]", "group_by: [built]", "{name: built, type: int64, class: attribute, grade: 1}", "{name: built, type: int64, class: attribute}",
		"tables: [homes-by-district, large-homes, marital-table]", "tables: [never-listed, marital-table]", "{name: kind, technique: keep}", "{name: household_id, technique: redact}")
	g := start(t, options{domain: text})
	_, err := g.verify("bank", "finance", "in-household", common.people[0].RID)
	g.refused(err, governance.FieldUngraded, "五")
	_, err = g.as("leju").Query(ctx(), &apiv1.QueryRequest{Scenario: "housing", Table: "never-listed"})
	g.refused(err, governance.FieldUngraded, "五")
	_, err = g.as("yunying").Jobs.Submit(ctx(), &apiv1.SubmitRequest{Scenario: "housing", Mask: "household-sample", IdempotencyKey: "0123456789abcdef", KeyTimeMs: nowMS()})
	g.refused(err, governance.FieldUngraded, "五")
}

// Prohibited data cannot be authorised: not as a dataset of a scenario, and not as a field of core grade.
func TestR7_ProhibitedDataIsNotAuthorised(t *testing.T) {
	g := start(t, options{})
	_, err := g.verify("bank", "finance", "by-employer", common.people[0].RID)
	g.refused(err, governance.DatasetProhibited, governance.GatewayRule)
	g.notApplied(edited(t, "roster: household\n    withhold: objection\n    sharing: verify_only", "roster: household\n    withhold: objection\n    sharing: prohibited"),
		governance.DatasetProhibited, governance.GatewayRule)
}

// Both keys are needed: a scenario that lacks the authority's or a provider's signature does not
// operate, one signed over other content neither, and it operates once all have signed.
func TestR18_BothKeysAreNeeded(t *testing.T) {
	g := start(t, options{})
	text, n := domain(t, domainText), common.people[0].RID
	ask := func() error { _, err := g.verify("bank", "half-signed", "urban", n); return err }
	g.refused(ask(), governance.ApprovalMissing, "九")
	_, err := g.apply(text, sign(t, text, "half-signed/shuju"))
	require.NoError(t, err)
	g.refused(ask(), governance.ApprovalMissing, "九")
	_, err = g.apply(text, sign(t, text))
	require.NoError(t, err)
	require.NoError(t, ask())
	// The operator widens the quota after all have signed.
	wider := strings.Replace(text, "units: [{party: bank, agreement: bank-use, per_day: 100, per_subject_day: 3}]\n    templates: [urban]\n    tables: []\n    masks: []\n    consent: not_required\n    allowed_use: 仅用于测试\n    result_days: 30\n  - id: expired",
		"units: [{party: bank, agreement: bank-use, per_day: 101, per_subject_day: 3}]\n    templates: [urban]\n    tables: []\n    masks: []\n    consent: not_required\n    allowed_use: 仅用于测试\n    result_days: 30\n  - id: expired", 1)
	require.NotEqual(t, text, wider)
	_, err = g.apply(wider, sign(t, text))
	require.NoError(t, err)
	g.refused(ask(), governance.ApprovalInvalid, "九")
	_, err = g.apply(text, []byte("yumen_approvals: ["))
	require.Error(t, err)
}

// No plan, no operation (一授权一预案); with a plan, signed again, it operates.
func TestR23_NoPlanNoOperation(t *testing.T) {
	g := start(t, options{})
	_, err := g.verify("bank", "no-plan", "urban", common.people[0].RID)
	g.refused(err, governance.PlanMissing, "八（三）")
	text := edited(t, `plan: ""`, `plan: "PLAN"`)
	_, err = g.apply(text, sign(t, text))
	require.NoError(t, err)
	g.must("bank", "no-plan", "urban", common.people[0].RID)
}

// A unit needs a use agreement with the operator of the scenario.
func TestR27_UseAgreementIsNeeded(t *testing.T) {
	g := start(t, options{})
	g.notApplied(edited(t, "units: [{party: hunlian, agreement: hunlian-use", "units: [{party: hunlian, agreement: bank-use"), governance.AgreementMissing, "六.4")
	g.notApplied(edited(t, "units: [{party: hunlian, agreement: hunlian-use", "units: [{party: hunlian, agreement: none"), governance.DanglingReference, governance.GatewayRule)
	out := g.must("bank", "finance", "urban", common.people[0].RID)
	require.Equal(t, "bank-use", statementOf(t, out.GetReceipt()).Agreement)
}

// An agreement expires by itself, is not in force before its first day, and may not pass the cap.
func TestR28_AgreementsEndByThemselves(t *testing.T) {
	g := start(t, options{})
	n := common.people[0].RID
	_, err := g.verify("bank", "expired", "urban", n)
	g.refused(err, governance.AgreementExpired, "六.7")
	g.notApplied(edited(t, "from: 2023-01-01, until: 2025-12-31", "from: 2023-01-01, until: 2026-01-02"), governance.TermCap, "六")
	next := time.Now().AddDate(0, 0, 2)
	text := edited(t, "from: 2023-01-01, until: 2025-12-31", "from: "+next.Format(time.DateOnly)+", until: "+next.AddDate(0, 1, 0).Format(time.DateOnly))
	_, err = g.apply(text, sign(t, text))
	require.NoError(t, err)
	_, err = g.verify("bank", "expired", "urban", n)
	g.refused(err, governance.AgreementNotYet, "六.4")
	// A result may not be used beyond the agreement it rests on.
	end := time.Now().AddDate(0, 0, 5)
	text = edited(t, "- {id: bank-use, kind: use, parties: [yunying, bank], from: FROM, until: UNTIL", "- {id: bank-use, kind: use, parties: [yunying, bank], from: FROM, until: "+end.Format(time.DateOnly))
	_, err = g.apply(text, sign(t, text))
	require.NoError(t, err)
	expires, err := time.Parse(time.DateOnly, statementOf(t, g.must("bank", "finance", "urban", n).GetReceipt()).Expires)
	require.NoError(t, err)
	require.False(t, expires.After(end), "the result outlives its agreement")
}

// The grant is scenario by scenario: a template of one is not answered under another.
func TestR30_GrantsAreByScenario(t *testing.T) {
	g := start(t, options{})
	n := common.people[0].RID
	g.must("bank", "finance", "owns-home", n)
	g.must("bank", "narrow", "urban", n)
	_, err := g.verify("bank", "narrow", "owns-home", n)
	g.refused(err, governance.TemplateUnregistered, "九")
	_, err = g.verify("bank", "nowhere", "urban", n)
	g.refused(err, governance.ScenarioUnknown, "四")
}

// Consent is an object of its own, bound to subject, unit, scenario, template and day; blanket consent
// is rejected; one that is revoked stops the replay of an answer given under it.
func TestR31_ConsentBindsAndBlanketIsRejected(t *testing.T) {
	g := start(t, options{})
	p := single(t)
	in := keyed(t, "marriage", "single", p.RID)
	in.Consent = "c-single"
	out, err := g.as("hunlian").Verify(ctx(), in)
	require.NoError(t, err)
	require.Equal(t, "c-single", statementOf(t, out.GetReceipt()).Consent)
	for _, c := range refusalCases(t) {
		if strings.HasPrefix(c.name, "R31") {
			_, err := g.as(c.party).Verify(ctx(), c.in)
			g.refused(err, c.rule, c.article)
		}
	}
	for _, blanket := range []string{"templates: [all]", `templates: ["*"]`, "templates: []"} {
		g.notApplied(edited(t, "unit: hunlian, scenario: marriage, templates: [single]", "unit: hunlian, scenario: marriage, "+blanket), governance.ConsentBlanket, "八（三）")
	}
	text := strings.Replace(domain(t, domainText), "revoked: false", "revoked: true", 1)
	_, err = g.apply(text, sign(t, text))
	require.NoError(t, err)
	_, err = g.as("hunlian").Verify(ctx(), in)
	g.refused(err, governance.ConsentRevoked, "八（三）")
}

// Results cite source department, dataset, version and day.
func TestR44_ResultsCiteTheirSource(t *testing.T) {
	g := start(t, options{})
	out := g.must("bank", "finance", "owns-home", common.people[0].RID)
	require.Equal(t, "市住房和城乡建设局", out.GetSourceDepartment())
	require.Equal(t, "2026-10-31", out.GetDataAsOf())
	s := statementOf(t, out.GetReceipt())
	require.Equal(t, "housing", s.Dataset.ID)
	require.Equal(t, "2026-10", s.Dataset.Version)
	require.Equal(t, out.GetSourceDepartment(), s.Dataset.Source)
	table, err := g.as("leju").Query(ctx(), &apiv1.QueryRequest{Scenario: "housing", Table: "homes-by-district"})
	require.NoError(t, err)
	require.Equal(t, out.GetSourceDepartment(), table.GetSourceDepartment())
}

// Raw data has no way out: no table by an identifier, no identifier kept in a mask, no row in a job's
// description, and no mask for a unit outside.
func TestR47_RawDataCannotLeave(t *testing.T) {
	g := start(t, options{})
	g.notApplied(edited(t, "group_by: [mortgaged]", "group_by: [rid]"), governance.RawExport, governance.GatewayRule)
	g.notApplied(edited(t, "{name: rid, technique: suppress}", "{name: rid, technique: keep}"), governance.RawExport, governance.GatewayRule)
	job := g.submit("household-sample")
	done := g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_DONE)
	require.Equal(t, apiv1.JobState_JOB_STATE_DONE, done.GetState())
	require.Less(t, len(done.GetReceipt().GetReceipt())+len(done.GetReceipt().GetResult()), 16<<10)
	_, body := g.rest("yunying", http.MethodGet, "/v1/jobs/"+job.GetId(), "")
	require.Less(t, len(body), 32<<10)
	_, err := g.as("leju").Jobs.Submit(ctx(), &apiv1.SubmitRequest{Scenario: "housing", Mask: "no-such", IdempotencyKey: "0123456789abcdef", KeyTimeMs: nowMS()})
	g.refused(err, governance.MaskUnregistered, "九")
	_, err = g.as("leju").Jobs.Get(ctx(), &apiv1.GetJobRequest{Id: job.GetId()})
	require.Equal(t, codes.NotFound, status.Code(err), "another party's job")
}

// A result is bound to its scenario, unit, allowed use and last day, under the log's proof.
func TestR49_ResultsAreBoundToTheirScenario(t *testing.T) {
	g := start(t, options{})
	out := g.must("bank", "finance", "urban", common.people[0].RID)
	s := statementOf(t, out.GetReceipt())
	require.Equal(t, "finance", s.Scenario)
	require.Equal(t, "bank", s.Party)
	require.Equal(t, "仅用于本行住房贷款审批,不得转让", s.AllowedUse)
	require.NotEmpty(t, s.Expires)
	g.holds(out.GetReceipt())
	_, err := g.verify("bank", "housing", "urban", common.people[0].RID)
	g.refused(err, governance.UnitNotInScenario, "九")
}
