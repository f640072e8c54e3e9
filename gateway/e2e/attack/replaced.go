package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// replaced: a careless authority and provider sign one new threshold after another for one field, each
// harmless alone, while the register stays the same. All answers ever given about one record version
// together must stay within 3 bits.
func (c *campaign) replaced(ctx context.Context) error {
	g, err := c.w.gateway(ctx, domainText, c.w.registers)
	if err != nil {
		return err
	}
	operator, err := g.as("yunying")
	if err != nil {
		return err
	}
	everyone := c.w.everyone()
	patterns := make([]strings.Builder, len(everyone))
	answered, refused := 0, map[string]int{}
	for _, months := range []int{12, 24, 36, 48, 60, 72, 84, 96, 108, 120, 144, 168} {
		text := c.w.fill(strings.Replace(domainText, `op: ">=", value: "12"`, fmt.Sprintf(`op: ">=", value: "%d"`, months), 1))
		signed, err := c.w.sign(text)
		if err != nil {
			return err
		}
		if _, err := operator.Governance.Apply(ctx, &apiv1.ApplyRequest{Domain: []byte(text), Approvals: signed}); err != nil {
			refused["apply"]++
			continue
		}
		out, rule, err := g.batch(ctx, "bank", "open", "insured-12m", everyone)
		if err != nil {
			return err
		}
		if rule != "" {
			refused[rule]++
			continue
		}
		answered++
		for i, a := range out.GetAnswers() {
			fmt.Fprintf(&patterns[i], "%d ", a)
		}
	}
	cells, least := map[string]int{}, len(everyone)
	for i := range patterns {
		cells[patterns[i].String()]++
	}
	for _, n := range cells {
		least = min(least, n)
	}
	share := float64(least) / float64(len(everyone))
	c.r.found("template-replaced", -math.Log2(share), 3, "bits on one record version from %d successive thresholds of one field: smallest of %d cells holds %.4f of the roster; refused %v",
		answered, len(cells), share, refused)
	return g.stop()
}
