package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/yumen-project/yumen/compute/dp"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
)

// repeats: one request many times under one key, one after the other and at once.
func (c *campaign) repeats(ctx context.Context) error {
	unit, err := c.g.as("bank")
	if err != nil {
		return err
	}
	in := question("open", "owns-home", c.w.people[11].RID)
	if in.IdempotencyKey, in.KeyTimeMs, err = client.NewKey(); err != nil {
		return err
	}
	seen := map[string]bool{}
	note := func(out *apiv1.VerifyResponse) error {
		_, parts, err := statement(out.GetReceipt())
		if err == nil {
			seen[out.GetAnswer().String()+string(parts.Statement)+string(out.GetReceipt().GetResult())] = true
		}
		return err
	}
	before, err := c.charged(ctx)
	if err != nil {
		return err
	}
	answers, errs := make([]*apiv1.VerifyResponse, 4*c.size.repeats), make([]error, 4*c.size.repeats)
	for i := range c.size.repeats {
		answers[i], errs[i] = unit.Verify(ctx, proto.Clone(in).(*apiv1.VerifyRequest))
	}
	var wg sync.WaitGroup
	for i := c.size.repeats; i < len(answers); i++ {
		wg.Go(func() { answers[i], errs[i] = unit.Verify(ctx, proto.Clone(in).(*apiv1.VerifyRequest)) })
	}
	wg.Wait()
	for i, out := range answers {
		if errs[i] != nil {
			return errs[i]
		}
		if err := note(out); err != nil {
			return err
		}
	}
	after, err := c.charged(ctx)
	if err != nil {
		return err
	}
	c.r.found("repeats-same-key", float64(len(seen)), 1, "different results or statements in %d repeats under one key", len(answers))
	c.r.found("repeats-charges", float64(after-before-1), 1, "charges for them")
	return nil
}

// charged asks once more and reads off what the unit has used.
func (c *campaign) charged(ctx context.Context) (int64, error) {
	out, rule, err := c.g.verify(ctx, "bank", question("open", "owns-home", c.w.people[0].RID))
	if err != nil || rule != "" {
		return 0, fmt.Errorf("quota unreadable: rule %q: %w", rule, err)
	}
	s, _, err := statement(out.GetReceipt())
	if err != nil {
		return 0, err
	}
	return s.Budget.Before, nil
}

// cellsOf is a table's content in one order of groups and measures.
func cellsOf(t *apiv1.QueryResponse) string {
	lines := map[string]string{}
	for _, cell := range t.GetCells() {
		for i, m := range t.GetMeasures() {
			if i < len(cell.GetValues()) {
				lines[strings.Join(cell.GetKeys(), ",")+" "+m] = cell.GetValues()[i]
			}
		}
	}
	return fmt.Sprint(lines) // maps print in the order of their keys
}

// charge is what a private answer cost the unit.
func charge(t *apiv1.QueryResponse) (int64, error) {
	s, _, err := statement(t.GetReceipt())
	if err != nil {
		return 0, err
	}
	return s.Budget.After - s.Budget.Before, nil
}

// privateRepeats averages repeats and near repeats: new keys, aliases with reordered measures and keys,
// a second unit, and all of that at once. One draw of noise is all there may be.
func (c *campaign) privateRepeats(ctx context.Context) error {
	for _, aliases := range [][]string{{"value-by-district", "value-again"}, {"people-by-district", "people-again"}} {
		var mu sync.Mutex
		var wg sync.WaitGroup
		var first error
		var all []*apiv1.QueryResponse
		for _, unit := range []string{"leju", "bank"} {
			if _, err := c.g.as(unit); err != nil {
				return err
			}
		}
		for i := range c.size.repeats {
			unit := []string{"leju", "bank"}[i/2%2]
			wg.Go(func() {
				out, rule, err := c.g.table(ctx, unit, "open", aliases[i%2])
				mu.Lock()
				defer mu.Unlock()
				if err == nil && rule != "" {
					err = fmt.Errorf("private table refused by %s", rule)
				}
				if err != nil && first == nil {
					first = err
				}
				all = append(all, out)
			})
		}
		wg.Wait()
		if first != nil {
			return first
		}
		draws, rho := map[string]bool{}, int64(0)
		for _, out := range all {
			draws[cellsOf(out)] = true
			paid, err := charge(out)
			if err != nil {
				return err
			}
			rho = max(rho, paid)
		}
		c.r.found("averaging "+aliases[0], float64(len(draws)), 1, "draws of noise in %d answers to two units, two spellings, at once; one unit paid %d nano-rho", len(all), rho)
		if aliases[0] == "people-by-district" {
			c.noiseLeft(all)
		}
	}
	return nil
}

// noiseLeft says how far the average of all repeats is from the truth, in sigmas.
func (c *campaign) noiseLeft(all []*apiv1.QueryResponse) {
	truth := map[string]int{}
	for i := range c.w.people {
		truth[c.w.people[i].District]++
	}
	sum, cells := map[string]float64{}, 0
	for _, t := range all {
		for _, cell := range t.GetCells() {
			v, err := strconv.ParseFloat(cell.GetValues()[0], 64)
			if err == nil {
				sum[cell.GetKeys()[0]] += v / float64(len(all))
			}
		}
	}
	const sigma = 10 // rho 0.005, one group, one record: sigma^2 = 1/(2 rho)
	square := 0.0
	for district, mean := range sum {
		square += math.Pow((mean-float64(truth[district]))/sigma, 2)
		cells++
	}
	left := math.Sqrt(square / float64(max(cells, 1)))
	// Below 0.17 of sigma by chance alone: less than 1e-6 for ten cells shown.
	c.r.found("averaged-noise", math.Max(0, 0.17-left), 0, "root mean square of the averaged noise is %.3f sigma over %d cells; %d averaged draws would leave %.3f", left, cells, len(all), 1/math.Sqrt(float64(len(all))))
}

// privateBudget: two units ask every private table there is and pool the answers.
func (c *campaign) privateBudget(ctx context.Context) error {
	refused := 0
	causes := map[string]int64{}
	draws := map[string]int64{}
	for _, unit := range []string{"bank", "leju", "bank", "leju"} {
		for i := 1; i <= 8; i++ {
			out, rule, err := c.g.table(ctx, unit, "open", fmt.Sprintf("near-%d", i))
			if err != nil {
				return err
			}
			if rule != "" {
				refused++
				continue
			}
			s, _, err := statement(out.GetReceipt())
			if err != nil {
				return err
			}
			rho, err := strconv.ParseInt(s.Technique.Params["rho_1e-9"], 10, 64)
			if err != nil {
				return err
			}
			draws[cellsOf(out)], causes[unit] = rho, s.Budget.After
		}
	}
	out, rule, err := c.g.table(ctx, "bank", "open", "people-by-district")
	if err != nil || rule != "" {
		return fmt.Errorf("stored answer refused by %q: %w", rule, err)
	}
	draws[cellsOf(out)] = 5_000_000 * 2
	total := int64(0)
	for _, rho := range draws {
		total += rho
	}
	c.r.found("private-budget-of-all", float64(total)/1e9, float64(dp.DefaultRho)/1e9, "rho of %d distinct answers about one dataset version, two units pooling, %d refusals", len(draws), refused)
	most := max(causes["bank"], causes["leju"])
	c.r.found("private-budget-of-one", float64(most)/1e9, float64(dp.DefaultRho)/2e9, "rho that one unit caused")
	return nil
}
