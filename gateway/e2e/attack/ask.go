package main

import (
	"context"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// ruleOf is the rule of a refusal; any other error stays one.
func ruleOf(err error) (string, error) {
	if r := client.RefusalOf(err); r != nil {
		return r.GetRule(), nil
	}
	return "", err
}

// verify asks one question: an answer, or the rule that refused it.
func (g *gateway) verify(ctx context.Context, party string, in *apiv1.VerifyRequest) (*apiv1.VerifyResponse, string, error) {
	c, err := g.as(party)
	if err != nil {
		return nil, "", err
	}
	out, err := c.Verify(ctx, in)
	rule, err := ruleOf(err)
	return out, rule, err
}

func (g *gateway) batch(ctx context.Context, party, scenario, template string, subjects []*apiv1.Subject) (*apiv1.VerifyBatchResponse, string, error) {
	c, err := g.as(party)
	if err != nil {
		return nil, "", err
	}
	out, err := c.VerifyBatch(ctx, &apiv1.VerifyBatchRequest{Scenario: scenario, Template: template, Subjects: subjects})
	rule, err := ruleOf(err)
	return out, rule, err
}

func (g *gateway) table(ctx context.Context, party, scenario, id string) (*apiv1.QueryResponse, string, error) {
	c, err := g.as(party)
	if err != nil {
		return nil, "", err
	}
	out, err := c.Query(ctx, &apiv1.QueryRequest{Scenario: scenario, Table: id})
	rule, err := ruleOf(err)
	return out, rule, err
}

// question is a verification without consent.
func question(scenario, template, number string) *apiv1.VerifyRequest {
	return &apiv1.VerifyRequest{Scenario: scenario, Template: template, Subject: &apiv1.Subject{Number: number}}
}

// under is a verification that names a consent.
func under(consent, scenario, template, number string) *apiv1.VerifyRequest {
	in := question(scenario, template, number)
	in.Consent = consent
	return in
}

// statement reads what a receipt says.
func statement(r *apiv1.Receipt) (*receipt.Statement, *receipt.Receipt, error) {
	parts, err := receipt.ParseReceipt(r.GetReceipt())
	if err != nil {
		return nil, nil, err
	}
	s, err := receipt.ParseStatement(parts.Statement)
	return s, parts, err
}

// everyone lists the whole roster as subjects.
func (w *world) everyone() []*apiv1.Subject {
	out := make([]*apiv1.Subject, len(w.people))
	for i := range w.people {
		out[i] = &apiv1.Subject{Number: w.people[i].RID}
	}
	return out
}
