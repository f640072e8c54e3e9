package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
)

// pairedDomain has one register with an objection column and a roster of its own, so that databases
// can differ in one subject's record and in nothing else.
const pairedDomain = `
yumen: 1
domain: e2e
jurisdiction: jilin
parties:
  - {id: shuju, name: 数据局, roles: [data_authority], key: "KEY(shuju)"}
  - {id: gongan, name: 公安局, roles: [provider], key: "KEY(gongan)"}
  - {id: yunying, name: 运营, roles: [operator]}
  - {id: bank, name: 银行, roles: [application_unit]}
datasets:
  - id: roster
    name: 名册
    provider: gongan
    source: {kind: file, path: roster.csv, format: csv}
    version: "1"
    as_of: 2026-10-31
    privacy_unit: person
    subject: {field: rid, identifier: resident_id}
    sharing: conditional
    fields: [{name: rid, type: string, class: direct_identifier, grade: 3}]
  - id: register
    name: 登记
    provider: gongan
    source: {kind: file, path: register.csv, format: csv}
    version: "1"
    as_of: 2026-10-31
    privacy_unit: person
    subject: {field: rid, identifier: resident_id}
    roster: roster
    withhold: objects
    sharing: conditional
    fields:
      - {name: rid, type: string, class: direct_identifier, grade: 3}
      - {name: flag, type: bool, class: attribute, grade: 2}
      - {name: objects, type: bool, class: attribute, grade: 2}
templates:
  - {id: flagged, dataset: register, kind: equals, field: flag, value: "true", class: ordinary, not_found: merged, withheld: merged}
  - {id: told-apart, dataset: register, kind: equals, field: flag, value: "true", class: rare, statute: 测试, not_found: distinct, withheld: distinct}
tables: []
masks: []
agreements:
  - {id: op, kind: operation, parties: [shuju, yunying], from: FROM, until: UNTIL, terms_digest: "TERMS"}
  - {id: use, kind: use, parties: [yunying, bank], from: FROM, until: UNTIL, terms_digest: "TERMS"}
scenarios:
  - id: s
    name: 场景
    purpose: 测试
    operation: op
    plan: "PLAN"
    authority: shuju
    providers: [gongan]
    units: [{party: bank, agreement: use, per_day: 1000}]
    templates: [flagged, told-apart]
    tables: []
    masks: []
    consent: not_required
    allowed_use: 测试
    result_days: 30
consents: []
`

// pairedSources writes the two registers. record is the asked subject's line, or empty: no record.
func pairedSources(t *testing.T, asked, record string) string {
	t.Helper()
	dir := t.TempDir()
	var roster, register strings.Builder
	roster.WriteString("rid\n")
	register.WriteString("rid,flag,objects\n")
	for i := range 200 {
		rid := common.people[i].RID
		fmt.Fprintln(&roster, rid)
		if rid != asked {
			fmt.Fprintf(&register, "%s,%t,false\n", rid, i%2 == 0)
		} else if record != "" {
			fmt.Fprintf(&register, "%s,%s\n", rid, record)
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "roster.csv"), []byte(roster.String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "register.csv"), []byte(register.String()), 0o600))
	return dir
}

// Four databases differ in the asked subject's record alone. Whatever the answer, the messages have one
// length over gRPC and over REST, and so have the receipt, the result file and the batch; a refusal has
// the same bytes.
func TestAnswersHaveOneLength(t *testing.T) {
	asked := common.people[100].RID
	text := domain(t, pairedDomain)
	approvals := sign(t, text)
	type seen struct {
		answer                                      apiv1.Answer
		message, body, receipt, result, batch, file int
		refusal, restRefusal                        string
	}
	var all []map[string]seen
	for _, record := range []string{"true,false", "false,false", "", "true,true"} {
		g := start(t, options{domain: text, approvals: approvals, sources: pairedSources(t, asked, record)})
		by := map[string]seen{}
		for _, template := range []string{"flagged", "told-apart"} {
			out := g.must("bank", "s", template, asked)
			s := seen{answer: out.GetAnswer(), message: proto.Size(out), receipt: len(out.GetReceipt().GetReceipt()), result: len(out.GetReceipt().GetResult())}
			code, body := g.rest("bank", http.MethodPost, "/v1/verify", restVerify(t, &apiv1.VerifyRequest{Scenario: "s", Template: template, Subject: &apiv1.Subject{Number: asked}}))
			require.Equal(t, http.StatusOK, code)
			s.body = len(body)
			if template == "flagged" {
				batch, err := g.as("bank").VerifyBatch(ctx(), &apiv1.VerifyBatchRequest{Scenario: "s", Template: template, Subjects: []*apiv1.Subject{{Number: asked}, {Number: common.people[3].RID}}})
				require.NoError(t, err)
				s.batch, s.file = proto.Size(batch), len(batch.GetReceipt().GetResult())
			}
			_, err := g.verify("bank", "elsewhere", template, asked)
			r := client.RefusalOf(err)
			require.NotNil(t, r)
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
			require.NoError(t, err)
			s.refusal = string(raw)
			_, body = g.rest("bank", http.MethodPost, "/v1/verify", restVerify(t, &apiv1.VerifyRequest{Scenario: "elsewhere", Template: template, Subject: &apiv1.Subject{Number: asked}}))
			s.restRefusal = string(body)
			by[template] = s
		}
		all = append(all, by)
	}
	want := map[string][]apiv1.Answer{
		"flagged":    {apiv1.Answer_ANSWER_YES, apiv1.Answer_ANSWER_NO, apiv1.Answer_ANSWER_NO, apiv1.Answer_ANSWER_NO},
		"told-apart": {apiv1.Answer_ANSWER_YES, apiv1.Answer_ANSWER_NO, apiv1.Answer_ANSWER_NOT_FOUND, apiv1.Answer_ANSWER_WITHHELD},
	}
	for template, answers := range want {
		for i, a := range answers {
			got := all[i][template]
			require.Equal(t, a, got.answer, template)
			got.answer = all[0][template].answer
			require.Equal(t, all[0][template], got, "%s: database %d can be told by its length or refusal", template, i)
		}
	}
}
