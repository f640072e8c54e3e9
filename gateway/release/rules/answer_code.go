package rules

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// AnswerCode lets out only codes of the published table, so that an answer carries no attribute (R39, R47).
type AnswerCode struct{}

// ID of the rule.
func (AnswerCode) ID() string { return "answer-code" }

// Check refuses an answer or batch with any other code.
func (r AnswerCode) Check(_ context.Context, c *release.Candidate) ([]release.Finding, error) {
	switch b := c.Body().(type) {
	case release.Answer:
		return r.judge(b.Code.Valid()), nil
	case release.Batch:
		for _, code := range b.Codes {
			if !code.Valid() {
				return r.judge(false), nil
			}
		}
		return r.judge(true), nil
	}
	return nil, nil
}

func (r AnswerCode) judge(ok bool) []release.Finding {
	if ok {
		return answerCodePassed
	}
	return []release.Finding{{Rule: r.ID(), Outcome: "unknown code", Refuse: governance.RawExport}}
}

// answerCodePassed is never changed: every verification has it.
var answerCodePassed = passed(AnswerCode{}.ID(), "code table")
