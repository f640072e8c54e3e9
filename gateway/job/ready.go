package job

import (
	"context"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/release"
)

// notReady refuses while those outside who must keep sight of the log do not: a witness, the exchange
// platform. A log that a witness contradicts takes no entry more.
func (r *Runner) notReady(ctx context.Context, ask *governance.Ask, policy *governance.Policy) error {
	if r.o.Ready == nil {
		return nil
	}
	switch rule := r.o.Ready(); rule {
	case "":
		return nil
	case governance.Sealed:
		return &release.Denied{Refusal: policy.Refuse(rule), Entry: -1}
	default:
		return r.deny(ctx, ask, policy.Refuse(rule), nil)
	}
}
