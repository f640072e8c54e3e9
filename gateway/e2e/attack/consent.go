package main

import (
	"context"
	"strings"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
)

// consentOf names who may ask what about the debtor, and with which consent.
var consentOf = []struct{ unit, consent, template string }{
	{"bank", "c-bank", "debtor-rare"}, {"hunlian", "c-hunlian", "single"}, {"jiazheng", "c-jiazheng", "certified"},
}

// threeUnits: three units hold consents of one person for three questions. One after the other uses up
// its own quota; what the others get, and pay, must not move.
func (c *campaign) threeUnits(ctx context.Context) error {
	rid := c.w.debtor().RID
	changed, asked := 0, 0
	first := map[string]apiv1.Answer{}
	spent := map[string]int64{}
	check := func(i int) error {
		u := consentOf[i]
		out, rule, err := c.g.verify(ctx, u.unit, under(u.consent, "asked", u.template, rid))
		if err != nil {
			return err
		}
		asked++
		if rule != "" {
			changed++
			return nil
		}
		s, _, err := statement(out.GetReceipt())
		if err != nil {
			return err
		}
		if was, ok := first[u.unit]; ok && (was != out.GetAnswer() || s.Budget.Before != spent[u.unit]) {
			changed++
		}
		first[u.unit], spent[u.unit] = out.GetAnswer(), s.Budget.After
		return nil
	}
	for range 3 {
		for i := range consentOf {
			if err := check(i); err != nil {
				return err
			}
		}
	}
	refused := 0
	for range 70 { // the third unit runs into its own quota, and burns refusals besides
		_, rule, err := c.g.verify(ctx, "jiazheng", under("c-jiazheng", "asked", "certified", rid))
		if err != nil {
			return err
		}
		if rule != "" {
			refused++
		}
		if _, _, err = c.g.verify(ctx, "jiazheng", under("c-bank", "asked", "debtor-rare", rid)); err != nil {
			return err
		}
	}
	for range 3 {
		for i := range 2 {
			if err := check(i); err != nil {
				return err
			}
		}
	}
	c.r.found("three-units-disturb-each-other", float64(changed), 0,
		"changed answers or charges of two units while the third exhausted its quota (%d refused); %d questions watched", refused, asked)
	return nil
}

// consents: every consent that is not the asker's own for this subject, template and day.
func (c *campaign) consents(ctx context.Context) error {
	debtor := c.w.debtor().RID
	other := c.w.people[7].RID
	tries := []struct {
		unit string
		in   *apiv1.VerifyRequest
	}{
		{"hunlian", question("asked", "single", debtor)},
		{"hunlian", under("c-bank", "asked", "debtor-rare", debtor)},
		{"hunlian", under("c-hunlian", "asked", "debtor-rare", debtor)},
		{"hunlian", under("c-hunlian", "asked", "single", other)},
		{"hunlian", under("c-revoked", "asked", "single", debtor)},
		{"hunlian", under("c-old", "asked", "single", debtor)},
		{"hunlian", under("C-HUNLIAN", "asked", "single", debtor)},
		{"hunlian", under("c-hunlian ", "asked", "single", debtor)},
		{"hunlian", under("c-hunlian\x00", "asked", "single", debtor)},
		{"bank", under("c-bank", "open", "debtor-rare", debtor)},
		{"bank", under("c-bank", "asked", "debtor-rare", other)},
		{"bank", under("c-hunlian", "asked", "single", debtor)},
		{"leju", under("c-bank", "asked", "debtor-rare", debtor)},
		{"jiazheng", under("c-jiazheng", "asked", "owns-home", debtor)},
	}
	answered := 0
	rules := map[string]int{}
	for _, t := range tries {
		out, rule, err := c.g.verify(ctx, t.unit, t.in)
		if err != nil && !strings.Contains(err.Error(), "InvalidArgument") {
			return err
		}
		if out != nil {
			answered++
		}
		rules[rule]++
	}
	c.r.found("consent-misuse", float64(answered), 0, "answers under consents that do not cover the question, of %d tries; refused by %v", len(tries), rules)
	return c.consentProbe(ctx, debtor, other)
}

// consentProbe: does a unit learn from a refusal whether a foreign consent is about a given person?
func (c *campaign) consentProbe(ctx context.Context, debtor, other string) error {
	told := map[string]bool{}
	for _, number := range []string{debtor, other} {
		_, rule, err := c.g.verify(ctx, "hunlian", under("c-bank", "asked", "single", number))
		if err != nil {
			return err
		}
		told[rule] = true
	}
	c.r.found("foreign-consent-oracle", float64(len(told)-1), 0, "bits on whose a foreign consent is, from the refusal: %v", told)
	return nil
}

// rareStatus tries every way to a status of half a percent. Only the consented one may answer.
func (c *campaign) rareStatus(ctx context.Context) error {
	debtor := c.w.debtor()
	answered := []string{}
	note := func(route string, got bool, err error) error {
		if got {
			answered = append(answered, route)
		}
		return err
	}
	self := &apiv1.Subject{Number: debtor.RID, Name: debtor.Name, Phone: debtor.Phone}
	out, _, err := c.g.verify(ctx, "bank", question("open", "debtor-open", debtor.RID))
	if err := note("template", out != nil, err); err != nil {
		return err
	}
	out, _, err = c.g.verify(ctx, "bank", question("open", "debtor-rare", debtor.RID))
	if err := note("rare template", out != nil, err); err != nil {
		return err
	}
	for _, template := range []string{"debtor-open", "debtor-rare"} {
		many, _, err := c.g.batch(ctx, "bank", "open", template, []*apiv1.Subject{self})
		if err := note("batch "+template, many != nil, err); err != nil {
			return err
		}
	}
	for _, table := range []string{"by-debtor", "debtors", "debtor-private"} {
		cells, _, err := c.g.table(ctx, "bank", "open", table)
		if err := note("table "+table, cells != nil, err); err != nil {
			return err
		}
	}
	rule, err := c.mask(ctx, "debtor-sample")
	if err := note("mask", rule == "", err); err != nil {
		return err
	}
	in := question("open", "debtor-open", debtor.RID)
	in.Subject = self
	out, _, err = c.g.verify(ctx, "bank", in)
	if err := note("template with identity", out != nil, err); err != nil {
		return err
	}
	in = question("open", "same-person", debtor.RID)
	in.Subject, in.Threshold = self, "debtor"
	out, _, err = c.g.verify(ctx, "bank", in)
	if err := note("identity match", out != nil, err); err != nil {
		return err
	}
	c.r.found("rare-status-without-consent", float64(len(answered)), 0, "routes that answered, of 10: %v", answered)
	out, rule, err = c.g.verify(ctx, "bank", under("c-bank", "asked", "debtor-rare", debtor.RID))
	if err != nil {
		return err
	}
	missing := 1.0
	if out.GetAnswer() == apiv1.Answer_ANSWER_YES {
		missing = 0
	}
	c.r.found("rare-status-with-consent", missing, 0, "1 where the consented question was not answered rightly; rule %q", rule)
	return nil
}

// mask asks for a masked table as the operator, the only one who may.
func (c *campaign) mask(ctx context.Context, id string) (string, error) {
	operator, err := c.g.as("yunying")
	if err != nil {
		return "", err
	}
	key, made, err := client.NewKey()
	if err != nil {
		return "", err
	}
	job, err := operator.Jobs.Submit(ctx, &apiv1.SubmitRequest{Scenario: "open", Mask: id, IdempotencyKey: key, KeyTimeMs: made})
	if err != nil {
		return ruleOf(err)
	}
	if job, err = operator.WaitJob(ctx, job.GetId()); err != nil {
		return "", err
	}
	return job.GetRefusal().GetRule(), nil
}
