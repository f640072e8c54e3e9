package governance

import "log/slog"

// GatewayRule stands where no article of the regulation speaks: a rule of the gateway itself.
const GatewayRule = "网关规则"

// Refusal is a decision not to answer. Its content depends on the policy and on
// nothing in the data. Do not retry unchanged.
type Refusal struct {
	Code        string `json:"code"` // stable, e.g. "YM-2103"
	Rule        Rule   `json:"rule"`
	ZH          string `json:"zh"` // one sentence
	EN          string `json:"en"`
	Pack        string `json:"pack"`        // e.g. "jilin@2025-draft"
	Article     string `json:"article"`     // e.g. "六.7", or GatewayRule
	Requirement string `json:"requirement"` // e.g. "R20"
}

// Error gives code and rule, and no value.
func (r *Refusal) Error() string { return r.Code + " " + string(r.Rule) }

// LogValue logs code, rule and article.
func (r *Refusal) LogValue() slog.Value {
	return slog.GroupValue(slog.String("code", r.Code), slog.String("rule", string(r.Rule)),
		slog.String("pack", r.Pack), slog.String("article", r.Article))
}
