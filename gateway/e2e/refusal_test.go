package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/yumen-project/yumen/benchmarks/city"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/governance"
)

// refused demands a refusal by rule, with code, both languages and the article in force, whose entry
// is in the log as a refusal. It returns the refusal.
func (g *gateway) refused(err error, rule governance.Rule, article string) *apiv1.Refusal {
	g.t.Helper()
	require.Error(g.t, err)
	r := client.RefusalOf(err)
	require.NotNil(g.t, r, "%v", err)
	require.Equal(g.t, string(rule), r.GetRule())
	require.Equal(g.t, article, r.GetArticle())
	require.Equal(g.t, "jilin@2025-draft", r.GetPack())
	require.Regexp(g.t, `^YM-[0-9]{4}$`, r.GetCode())
	require.Regexp(g.t, `^R[0-9]+$`, r.GetRequirement())
	require.NotEmpty(g.t, r.GetZh())
	require.NotEmpty(g.t, r.GetEn())
	require.Equal(g.t, audit.Refusal, g.entry(r.GetEntry()).Kind)
	return r
}

// entry reads a public entry of the log over the API, with its proof.
func (g *gateway) entry(index int64) audit.Entry {
	g.t.Helper()
	require.GreaterOrEqual(g.t, index, int64(0))
	out, err := g.as("bank").Audit.Entry(ctx(), &apiv1.EntryRequest{Index: uint64(index)})
	require.NoError(g.t, err)
	e, err := audit.ParseEntry(out.GetEntry())
	require.NoError(g.t, err)
	return e
}

// A refusal case: who asks what, by which rule and article it is refused.
type refusalCase struct {
	name    string
	party   string
	in      *apiv1.VerifyRequest
	rule    governance.Rule
	article string
}

func refusalCases(t *testing.T) []refusalCase {
	one := single(t)
	other := person(t, func(p *city.Person) bool { return p.InCivil && !p.CivilObjection && p.RID != one.RID })
	q := func(scenario, template, number, consent string) *apiv1.VerifyRequest {
		return &apiv1.VerifyRequest{Scenario: scenario, Template: template, Subject: &apiv1.Subject{Number: number}, Consent: consent}
	}
	n := one.RID
	threshold := q("finance", "insured-24m", n, "")
	threshold.Threshold = ">= 23"
	return []refusalCase{
		{"R20 a template not registered", "bank", q("finance", "no-such", n, ""), governance.TemplateUnregistered, "九"},
		{"R20 a template of another scenario", "bank", q("finance", "single", n, ""), governance.TemplateUnregistered, "九"},
		{"R20 a template in no scenario", "bank", q("finance", "never-listed", n, ""), governance.TemplateUnregistered, "九"},
		{"R20 a threshold of the caller's own", "bank", threshold, governance.ThresholdSupplied, "九"},
		{"R3 an ungraded field", "bank", q("finance", "in-household", n, ""), governance.FieldUngraded, "五"},
		{"R7 core data", "bank", q("finance", "by-employer", n, ""), governance.DatasetProhibited, governance.GatewayRule},
		{"R48 a cell under an eighth", "bank", q("finance", "debtor-open", n, ""), governance.CellShare, governance.GatewayRule},
		{"R23 no plan", "bank", q("no-plan", "urban", n, ""), governance.PlanMissing, "八（三）"},
		{"R18 one signature missing", "bank", q("half-signed", "urban", n, ""), governance.ApprovalMissing, "九"},
		{"R28 an expired agreement", "bank", q("expired", "urban", n, ""), governance.AgreementExpired, "六.7"},
		{"R49 a foreign scenario", "bank", q("housing", "urban", n, ""), governance.UnitNotInScenario, "九"},
		{"R30 no such scenario", "bank", q("nowhere", "urban", n, ""), governance.ScenarioUnknown, "四"},
		{"R53 an authority may not ask", "shuju", q("finance", "urban", n, ""), governance.RoleNotAllowed, "八（一）"},
		{"R34 an operator may not verify", "yunying", q("housing", "urban", n, ""), governance.RoleNotAllowed, "八（一）"},
		{"R31 no consent", "hunlian", q("marriage", "single", n, ""), governance.ConsentMissing, "八（三）"},
		{"R31 a consent that does not exist", "hunlian", q("marriage", "single", n, "c-none"), governance.ConsentMissing, "八（三）"},
		{"R31 another subject's consent", "hunlian", q("marriage", "single", other.RID, "c-single"), governance.ConsentForeign, "八（三）"},
		{"R31 a consent for another template", "hunlian", q("marriage", "urban", n, "c-single"), governance.ConsentForeign, "八（三）"},
		{"R31 a consent given to another unit", "bank", q("finance", "urban", n, "c-single"), governance.ConsentForeign, "八（三）"},
		{"R31 a revoked consent", "hunlian", q("marriage", "single", n, "c-revoked"), governance.ConsentRevoked, "八（三）"},
		{"R31 an expired consent", "hunlian", q("marriage", "single", n, "c-old"), governance.ConsentExpired, "八（三）"},
		{"R43 a malformed number", "bank", q("finance", "urban", "22020219000101001", ""), governance.SubjectMalformed, governance.GatewayRule},
	}
}

// Every refusal of a question names rule and article, is in the log, costs nothing, reads the same over
// REST, and holds nothing of the subject.
func TestR19_EveryRefusalNamesRuleAndArticle(t *testing.T) {
	g := start(t, options{})
	before := g.spent("bank", "finance")
	asked := int64(1)
	for _, c := range refusalCases(t) {
		t.Run(c.name, func(t *testing.T) {
			_, err := g.as(c.party).Verify(ctx(), c.in)
			r := g.refused(err, c.rule, c.article)
			require.NotContains(t, err.Error(), c.in.GetSubject().GetNumber())
			code, body := g.rest(c.party, http.MethodPost, "/v1/verify", restVerify(t, c.in))
			require.GreaterOrEqual(t, code, 400)
			require.Contains(t, string(body), `"rule":"`+r.GetRule()+`"`)
			require.Contains(t, string(body), `"article":"`+c.article+`"`)
			require.NotContains(t, string(body), c.in.GetSubject().GetNumber())
			require.Equal(t, before+asked, g.spent("bank", "finance"), "a refusal was charged")
			asked++
		})
	}
}

// restVerify writes a question as REST does, under a new key.
func restVerify(t *testing.T, in *apiv1.VerifyRequest) string {
	t.Helper()
	anew := proto.Clone(in).(*apiv1.VerifyRequest)
	var err error
	anew.IdempotencyKey, anew.KeyTimeMs, err = client.NewKey()
	require.NoError(t, err)
	return restOf(t, anew)
}

func restOf(t *testing.T, in proto.Message) string {
	t.Helper()
	text, err := protojson.Marshal(in)
	require.NoError(t, err)
	return string(text)
}

// Tables: not registered, not of this scenario, with fields of the caller's own, of data that may only be
// verified.
func TestR20_TablesAreRegisteredOrRefused(t *testing.T) {
	g := start(t, options{})
	ask := func(party, scenario, table string, fields ...string) error {
		_, err := g.as(party).Query(ctx(), &apiv1.QueryRequest{Scenario: scenario, Table: table, Fields: fields})
		return err
	}
	g.refused(ask("leju", "housing", "homes-by-owner"), governance.TableUnregistered, "九")
	g.refused(ask("leju", "housing", "never-listed"), governance.TableUnregistered, "九")
	g.refused(ask("bank", "finance", "homes-by-district"), governance.TableUnregistered, "九")
	g.refused(ask("leju", "housing", "homes-by-district", "no_such_field"), governance.FieldUnknown, "九")
	g.refused(ask("leju", "housing", "homes-by-district", "value"), governance.ThresholdSupplied, "九")
	g.refused(ask("leju", "housing", "marital-table"), governance.DatasetSharing, governance.GatewayRule)
	require.NoError(t, ask("leju", "housing", "homes-by-district"))
	require.Equal(t, int64(1), g.spent("leju", "housing"))
}

// What may not be shared can still be verified against (核实、比对).
func TestR43_VerifiesAgainstDataThatMayNotBeShared(t *testing.T) {
	g := start(t, options{})
	p := single(t)
	in := &apiv1.VerifyRequest{Scenario: "marriage", Template: "single", Subject: &apiv1.Subject{Number: p.RID}, Consent: "c-single"}
	out, err := g.as("hunlian").Verify(ctx(), in)
	require.NoError(t, err)
	require.Equal(t, apiv1.Answer_ANSWER_YES, out.GetAnswer())
	_, err = g.as("leju").Query(ctx(), &apiv1.QueryRequest{Scenario: "housing", Table: "marital-table"})
	g.refused(err, governance.DatasetSharing, governance.GatewayRule)
}

// An exhausted quota refuses, over gRPC with ResourceExhausted and over REST with 429, and refills
// neither by asking again nor by a batch.
func TestR20_QuotaBinds(t *testing.T) {
	g := start(t, options{})
	n := common.people[7].RID
	g.must("bank", "narrow", "urban", n)
	g.must("bank", "narrow", "urban", n)
	for range 3 {
		_, err := g.verify("bank", "narrow", "urban", n)
		g.refused(err, governance.QuotaExhausted, governance.GatewayRule)
		require.Equal(t, codes.ResourceExhausted, status.Code(err))
	}
	_, err := g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "narrow", Template: "urban", Subjects: []*apiv1.Subject{{Number: n}}})
	g.refused(err, governance.QuotaExhausted, governance.GatewayRule)
	code, _ := g.rest("bank", http.MethodPost, "/v1/verify", restVerify(t, &apiv1.VerifyRequest{Scenario: "narrow", Template: "urban", Subject: &apiv1.Subject{Number: n}}))
	require.Equal(t, http.StatusTooManyRequests, code)
	// A batch larger than what is left takes nothing of it.
	_, err = g.as("leju").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "narrow", Template: "urban", Subjects: subjects(51)})
	g.refused(err, governance.QuotaExhausted, governance.GatewayRule)
	_, err = g.as("leju").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "narrow", Template: "urban", Subjects: subjects(50)})
	require.NoError(t, err)
}

func subjects(n int) []*apiv1.Subject {
	out := make([]*apiv1.Subject, n)
	for i := range out {
		out[i] = &apiv1.Subject{Number: common.people[i].RID}
	}
	return out
}

// All attempts at an identity match count for each subject, absent ones too, and in a batch.
func TestR38_AttemptsOnOneSubjectAreCapped(t *testing.T) {
	g := start(t, options{})
	match := func(s *apiv1.Subject) error {
		_, err := g.as("leju").Verify(ctx(), &apiv1.VerifyRequest{Scenario: "housing", Template: "same-person", Subject: s})
		return err
	}
	p := common.people[3]
	for who, s := range map[string]*apiv1.Subject{
		"present": {Number: p.RID, Name: p.Name, Phone: "13900000000"},
		"absent":  {Number: stranger(t, 5), Name: "查无此人", Phone: "13900000000"},
	} {
		for range 3 {
			require.NoError(t, match(s), who)
		}
		g.refused(match(s), governance.AttemptsExhausted, "九")
		// Another spelling of the same number is the same subject.
		wide := &apiv1.Subject{Number: fullWidth(s.GetNumber()), Name: s.GetName(), Phone: s.GetPhone()}
		g.refused(match(wide), governance.AttemptsExhausted, "九")
	}
	q := common.people[4]
	four := []*apiv1.Subject{}
	for range 4 {
		four = append(four, &apiv1.Subject{Number: q.RID, Name: q.Name, Phone: q.Phone})
	}
	_, err := g.as("leju").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "housing", Template: "same-person", Subjects: four})
	g.refused(err, governance.AttemptsExhausted, "九")
	_, err = g.as("leju").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "housing", Template: "same-person", Subjects: four[:3]})
	require.NoError(t, err)
}

// A batch of a rare status is refused, and so is an empty one or one over the bound.
func TestBatchBounds(t *testing.T) {
	g := start(t, options{})
	ask := func(template string, s []*apiv1.Subject) error {
		_, err := g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "finance", Template: template, Subjects: s})
		return err
	}
	g.refused(ask("widowed", subjects(2)), governance.BatchNotAllowed, governance.GatewayRule)
	g.refused(ask("urban", nil), governance.BatchTooLarge, governance.GatewayRule)
	g.refused(ask("urban", repeated(100_001)), governance.BatchTooLarge, governance.GatewayRule)
}

func repeated(n int) []*apiv1.Subject {
	out := make([]*apiv1.Subject, n)
	one := &apiv1.Subject{Number: common.people[0].RID}
	for i := range out {
		out[i] = one
	}
	return out
}

// Nobody without a name of this domain gets anything, and a name gives no more than its role.
func TestR52_CallersAreAuthenticated(t *testing.T) {
	g := start(t, options{})
	for _, path := range []string{"/v1/catalogue", "/v1/log/checkpoint", "/v1/trust", "/v1/jobs", "/v1/log/entries/0"} {
		code, body := g.rest("", http.MethodGet, path, "")
		require.Equal(t, http.StatusUnauthorized, code, path)
		require.Less(t, len(body), 300)
	}
	code, _ := g.rest("", http.MethodPost, "/v1/verify", restVerify(t, refusalCases(t)[0].in))
	require.Equal(t, http.StatusUnauthorized, code)
	forged, err := client.New(client.Options{Address: g.server.GRPCAddr(), TLS: g.tls(), Token: strings.Repeat("A", 43)})
	require.NoError(t, err)
	defer forged.Close()
	_, err = forged.Verify(ctx(), &apiv1.VerifyRequest{Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: common.people[0].RID}})
	require.Equal(t, codes.Unauthenticated, status.Code(err))
	for _, party := range []string{"bank", "hunlian", "gongan", "jianguan"} {
		_, err = g.as(party).Governance.Apply(ctx(), &apiv1.ApplyRequest{Domain: []byte(domain(t, domainText))})
		g.refused(err, governance.RoleNotAllowed, "八（一）")
		_, err = g.as(party).Governance.Resume(ctx(), &apiv1.SuspendRequest{Kind: "party", Id: "bank", Reason: "x"})
		g.refused(err, governance.RoleNotAllowed, "八（一）")
	}
	// Another party's job cannot be seen.
	_, err = g.as("bank").Jobs.Get(ctx(), &apiv1.GetJobRequest{Id: "000000000000000000000000"})
	require.Equal(t, codes.NotFound, status.Code(err))
}

// A client certificate says who calls, and only the CA's counts.
func TestR52_ClientCertificate(t *testing.T) {
	g := start(t, options{})
	out, err := g.withCertificate("bank").Verify(ctx(), &apiv1.VerifyRequest{Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: common.people[0].RID}})
	require.NoError(t, err)
	require.Equal(t, "bank", statementOf(t, out.GetReceipt()).Party)
	config := g.tls()
	config.Certificates = append(config.Certificates, selfMade(t, "bank", time.Now()))
	c2, err := client.New(client.Options{Address: g.server.GRPCAddr(), TLS: config})
	require.NoError(t, err)
	defer c2.Close()
	_, err = c2.Verify(ctx(), &apiv1.VerifyRequest{Scenario: "finance", Template: "urban", Subject: &apiv1.Subject{Number: common.people[0].RID}})
	require.Error(t, err)
}
