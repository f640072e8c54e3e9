package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"

	"github.com/yumen-project/yumen/benchmarks/city"
)

// demoPeople are persons of the city about whom the demonstration asks.
type demoPeople struct {
	owner, homeless, insured, single, certified, other city.Person
	batch                                              []*apiv1.Subject
}

func (p *demoPeople) find(town *city.City) error {
	found := map[*city.Person]bool{}
	pick := func(dst *city.Person, ok bool, one city.Person) {
		if ok && !found[dst] {
			*dst, found[dst] = one, true
		}
	}
	for i := range town.Persons() {
		one := town.Person(i)
		if one.Objection {
			continue
		}
		pick(&p.owner, one.OwnsHome(), one)
		pick(&p.homeless, !one.OwnsHome(), one)
		pick(&p.insured, one.Insured && one.Months >= 24, one)
		pick(&p.single, one.InCivil && one.Marital == city.Single && !one.CivilObjection, one)
		pick(&p.certified, one.Insured && one.Certified, one)
		pick(&p.other, found[&p.single] && one.RID != p.single.RID, one)
		if len(p.batch) < 50 {
			p.batch = append(p.batch, &apiv1.Subject{Number: one.RID})
		}
		if len(found) == 6 && len(p.batch) == 50 {
			return nil
		}
	}
	return errors.New("the city is too small to ask about")
}

// demoRow is one line of the table at the end.
type demoRow struct {
	who, question, answer, receipt string
	refused                        bool
}

// ask puts every kind of question, in an order that tells a story. A result that is not the expected
// one ends the demonstration with an error.
func (d *demo) ask(ctx context.Context) error {
	steps := []func(context.Context) error{d.askBank, d.askHousing, d.askMarriage, d.askDomestic, d.askMasked, d.askSuspended}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// verify asks and notes answer or refusal. want is the code expected, or 0 for a refusal by rule.
func (d *demo) verify(ctx context.Context, who, question string, in *apiv1.VerifyRequest, want apiv1.Answer, rule string) error {
	out, err := d.units[who].Verify(ctx, in)
	if rule != "" {
		return d.refused(who, question, err, rule)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", question, err)
	}
	if out.GetAnswer() != want {
		return fmt.Errorf("%s: unexpected answer", question)
	}
	return d.note(who, question, d.word(out.GetAnswer()), out.GetSerial(), out.GetReceipt())
}

func (d *demo) note(who, question, answer, serial string, r *apiv1.Receipt) error {
	d.rows = append(d.rows, demoRow{who: who, question: question, answer: answer, receipt: serial})
	return saveReceipt(d.out, serial, r)
}

func (d *demo) refused(who, question string, err error, rule string) error {
	r := client.RefusalOf(err)
	if r == nil || r.GetRule() != rule {
		return fmt.Errorf("%s: expected a refusal by %s: %w", question, rule, err)
	}
	answer := fmt.Sprintf("%s %s [%s %s]", d.say("拒绝", "refused"), d.say(r.GetZh(), r.GetEn()), r.GetPack(), r.GetArticle())
	d.rows = append(d.rows, demoRow{who: who, question: question, answer: answer, refused: true, receipt: d.say("日志第", "log entry ") + strconv.FormatInt(r.GetEntry(), 10) + d.say("条", "")})
	return nil
}

func (d *demo) word(a apiv1.Answer) string {
	words := map[apiv1.Answer][2]string{
		apiv1.Answer_ANSWER_YES: {"是", "yes"}, apiv1.Answer_ANSWER_NO: {"否", "no"},
		apiv1.Answer_ANSWER_MATCH: {"一致", "match"}, apiv1.Answer_ANSWER_MISMATCH: {"不一致", "mismatch"},
		apiv1.Answer_ANSWER_NOT_FOUND: {"查无", "not found"}, apiv1.Answer_ANSWER_WITHHELD: {"不予提供", "withheld"},
	}
	return d.say(words[a][0], words[a][1])
}

func (d *demo) askBank(ctx context.Context) error {
	key, made, err := client.NewKey()
	if err != nil {
		return err
	}
	q := func(template string, s *apiv1.Subject) *apiv1.VerifyRequest {
		return &apiv1.VerifyRequest{Scenario: "property-finance", Template: template, Subject: s}
	}
	number := func(p city.Person) *apiv1.Subject { return &apiv1.Subject{Number: p.RID} }
	first := q("owns-home", number(d.people.owner))
	first.IdempotencyKey, first.KeyTimeMs = key, made
	again := q("owns-home", number(d.people.owner))
	again.IdempotencyKey, again.KeyTimeMs = key, made
	conflict := q("owns-home", number(d.people.homeless))
	conflict.IdempotencyKey, conflict.KeyTimeMs = key, made
	threshold := q("insured-24m", number(d.people.insured))
	threshold.Threshold = ">= 23"
	foreign := q("single", number(d.people.single))
	foreign.Scenario = "marriage"
	same := &apiv1.Subject{Number: d.people.owner.RID, Name: d.people.owner.Name, Phone: "+86 " + d.people.owner.Phone}
	wrong := &apiv1.Subject{Number: d.people.owner.RID, Name: d.people.owner.Name, Phone: d.people.homeless.Phone}
	own := d.say("此人有住房吗?", "does this person own a home?")
	return errors.Join(
		d.verify(ctx, "bank", own, first, apiv1.Answer_ANSWER_YES, ""),
		d.verify(ctx, "bank", own, q("owns-home", number(d.people.homeless)), apiv1.Answer_ANSWER_NO, ""),
		d.verify(ctx, "bank", d.say("同一请求重发(不再计费)", "the first question again (not charged)"), again, apiv1.Answer_ANSWER_YES, ""),
		d.verify(ctx, "bank", d.say("参保满24个月吗?", "insured for 24 months?"), q("insured-24m", number(d.people.insured)), apiv1.Answer_ANSWER_YES, ""),
		d.verify(ctx, "bank", d.say("姓名、号码、手机一致吗?", "do name, number and phone agree?"), q("same-person", same), apiv1.Answer_ANSWER_MATCH, ""),
		d.verify(ctx, "bank", d.say("换一个手机号呢?", "and with another phone?"), q("same-person", wrong), apiv1.Answer_ANSWER_MISMATCH, ""),
		d.askBatch(ctx),
		d.verify(ctx, "bank", d.say("同一请求键,另一请求", "same key, another question"), conflict, 0, "idempotency-conflict"),
		d.verify(ctx, "bank", d.say("未登记的模板", "a template not registered"), q("income", number(d.people.owner)), 0, "template-unregistered"),
		d.verify(ctx, "bank", d.say("自选阈值", "a threshold of one's own"), threshold, 0, "threshold-supplied"),
		d.verify(ctx, "bank", d.say("失信状态(占比不足12.5%)", "a rare status (under 12.5%)"), q("debtor-open", number(d.people.insured)), 0, "cell-share"),
		d.verify(ctx, "bank", d.say("别家的场景", "another unit's scenario"), foreign, 0, "unit-not-in-scenario"),
	)
}

func (d *demo) askBatch(ctx context.Context) error {
	question := d.say("批量:50人有住房吗?", "batch: do these 50 own homes?")
	out, err := d.units["bank"].VerifyBatch(ctx, &apiv1.VerifyBatchRequest{Scenario: "property-finance", Template: "owns-home", Subjects: d.people.batch})
	if err != nil {
		return fmt.Errorf("%s: %w", question, err)
	}
	yes := 0
	for _, a := range out.GetAnswers() {
		if a == apiv1.Answer_ANSWER_YES {
			yes++
		}
	}
	answer := fmt.Sprintf(d.say("是 %d,否 %d", "yes %d, no %d"), yes, len(out.GetAnswers())-yes)
	return d.note("bank", question, answer, out.GetSerial(), out.GetReceipt())
}

func (d *demo) askHousing(ctx context.Context) error {
	for _, id := range []string{"homes-by-district", "large-homes", "value-by-district", "value-by-district"} {
		out, err := d.units["leju"].Query(ctx, &apiv1.QueryRequest{Scenario: "happy-housing", Table: id})
		if err != nil {
			return fmt.Errorf("table %s: %w", id, err)
		}
		shown, withheld := 0, 0
		for _, c := range out.GetCells() {
			if c.GetWithheld() {
				withheld++
				continue
			}
			shown++
		}
		answer := fmt.Sprintf(d.say("%d 格给出,%d 格不予提供", "%d cells shown, %d withheld"), shown, withheld)
		if err := d.note("leju", d.say("统计表 ", "table ")+id, answer, out.GetSerial(), out.GetReceipt()); err != nil {
			return err
		}
	}
	question := d.say("未登记的统计表", "a table not registered")
	_, err := d.units["leju"].Query(ctx, &apiv1.QueryRequest{Scenario: "happy-housing", Table: "homes-by-owner"})
	return d.refused("leju", question, err, "table-unregistered")
}

func (d *demo) askMarriage(ctx context.Context) error {
	q := func(p city.Person, consent string) *apiv1.VerifyRequest {
		return &apiv1.VerifyRequest{Scenario: "marriage", Template: "single", Subject: &apiv1.Subject{Number: p.RID}, Consent: consent}
	}
	return errors.Join(
		d.verify(ctx, "hunlian", d.say("此人未婚吗?(本人同意)", "is this person single? (with consent)"), q(d.people.single, "c-single"), apiv1.Answer_ANSWER_YES, ""),
		d.verify(ctx, "hunlian", d.say("没有同意", "without consent"), q(d.people.single, ""), 0, "consent-missing"),
		d.verify(ctx, "hunlian", d.say("他人的同意", "with another person's consent"), q(d.people.other, "c-single"), 0, "consent-foreign"),
		d.verify(ctx, "hunlian", d.say("已撤回的同意", "with a revoked consent"), q(d.people.single, "c-revoked"), 0, "consent-revoked"),
	)
}

func (d *demo) askDomestic(ctx context.Context) error {
	q := func() *apiv1.VerifyRequest {
		return &apiv1.VerifyRequest{Scenario: "domestic-service", Template: "certified", Subject: &apiv1.Subject{Number: d.people.certified.RID}, Consent: "c-certified"}
	}
	question := d.say("有家政资格证吗?(本人同意)", "certified for domestic service? (with consent)")
	return errors.Join(
		d.verify(ctx, "jiazheng", question, q(), apiv1.Answer_ANSWER_YES, ""),
		d.verify(ctx, "jiazheng", question, q(), apiv1.Answer_ANSWER_YES, ""),
		d.verify(ctx, "jiazheng", d.say("当日额度已用完", "after the day's quota"), q(), 0, "quota-exhausted"),
	)
}

func (d *demo) askMasked(ctx context.Context) error {
	question := d.say("脱敏表(留在开发区)", "masked table (stays in the development zone)")
	key, made, err := client.NewKey()
	if err != nil {
		return err
	}
	job, err := d.units["yunying"].Jobs.Submit(ctx, &apiv1.SubmitRequest{Scenario: "happy-housing", Mask: "household-sample", IdempotencyKey: key, KeyTimeMs: made})
	if err != nil {
		return fmt.Errorf("%s: %w", question, err)
	}
	if job, err = d.units["yunying"].WaitJob(ctx, job.GetId()); err != nil {
		return fmt.Errorf("%s: %w", question, err)
	}
	if job.GetState() != apiv1.JobState_JOB_STATE_DONE {
		return fmt.Errorf("%s: ended in state %s: %s%s", question, job.GetState(), job.GetProblem(), job.GetRefusal().GetRule())
	}
	answer := fmt.Sprintf(d.say("%d 行,k >= 5", "%d rows, k >= 5"), job.GetRows())
	return d.note("yunying", question, answer, "masked-"+job.GetId(), job.GetReceipt())
}

func (d *demo) askSuspended(ctx context.Context) error {
	target := &apiv1.SuspendRequest{Kind: "party", Id: "leju", Reason: "演示"}
	if _, err := d.units["shuju"].Governance.Suspend(ctx, target); err != nil {
		return fmt.Errorf("suspend: %w", err)
	}
	in := &apiv1.VerifyRequest{Scenario: "happy-housing", Template: "owns-home", Subject: &apiv1.Subject{Number: d.people.owner.RID}}
	if err := d.verify(ctx, "leju", d.say("被暂停后再问", "asked after a suspension"), in, 0, "suspended"); err != nil {
		return err
	}
	if _, err := d.units["shuju"].Governance.Resume(ctx, target); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	return d.verify(ctx, "leju", d.say("恢复后再问", "asked after it was lifted"), in, apiv1.Answer_ANSWER_YES, "")
}
