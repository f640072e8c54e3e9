package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

// registered lists the templates a unit can name, by dataset: the catalogue tells.
func (c *campaign) registered(ctx context.Context, party string) (map[string][]string, error) {
	unit, err := c.g.as(party)
	if err != nil {
		return nil, err
	}
	catalogue, err := unit.Governance.Catalogue(ctx, &apiv1.CatalogueRequest{})
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, item := range catalogue.GetItems() {
		if item.GetKind() == "template" {
			out[item.GetDataset()] = append(out[item.GetDataset()], item.GetId())
		}
	}
	return out, nil
}

// templates: two units pool every answer to every template about every person of the roster. Persons
// told apart by nothing make a cell; the smallest cell says how much is known of those in it.
func (c *campaign) templates(ctx context.Context) error {
	byDataset, err := c.registered(ctx, "bank")
	if err != nil {
		return err
	}
	everyone := c.w.everyone()
	for dataset, ids := range byDataset {
		patterns := make([]strings.Builder, len(everyone))
		answered, refused := 0, map[string]string{}
		for _, id := range ids {
			for _, unit := range []string{"bank", "leju"} {
				out, rule, err := c.g.batch(ctx, unit, "open", id, everyone)
				if err != nil {
					return err
				}
				if rule != "" {
					refused[id] = rule
					continue
				}
				answered++
				for i, a := range out.GetAnswers() {
					fmt.Fprintf(&patterns[i], "%d ", a)
				}
			}
		}
		cells := map[string]int{}
		for i := range patterns {
			cells[patterns[i].String()]++
		}
		least := len(everyone)
		for _, n := range cells {
			least = min(least, n)
		}
		share := float64(least) / float64(len(everyone))
		c.r.found("template-partition "+dataset, -math.Log2(share), 3,
			"bits on one record version: smallest of %d cells holds %.4f of the roster; %d batches of two units over %d persons; refused %v",
			len(cells), share, answered, len(everyone), refused)
	}
	return nil
}

// thresholds: bisection needs a threshold of one's own. Every door by which one could be brought along.
func (c *campaign) thresholds(ctx context.Context) error {
	rid := c.w.people[3].RID
	unit, err := c.g.as("bank")
	if err != nil {
		return err
	}
	plain, rule, err := c.g.table(ctx, "bank", "open", "homes-by-district")
	if err != nil || rule != "" {
		return fmt.Errorf("registered table refused by %q: %w", rule, err)
	}
	answered, tries := 0, 0
	for wage := 1 << 17; wage > 0; wage >>= 1 {
		for _, template := range []string{"wage-8000", fmt.Sprintf("wage-%d", wage+1), fmt.Sprintf("wage-8000 OR wage>=%d", wage)} {
			in := question("open", template, rid)
			in.Threshold = fmt.Sprintf(">= %d", wage)
			out, _, err := c.g.verify(ctx, "bank", in)
			if err != nil {
				return err
			}
			tries++
			if out != nil {
				answered++
			}
		}
		for _, fields := range [][]string{{fmt.Sprintf("area>=%d", wage)}, {"value"}, {"rid"}} {
			out, err := unit.Query(ctx, &apiv1.QueryRequest{Scenario: "open", Table: "homes-by-district", Fields: fields})
			if _, err := ruleOf(err); err != nil {
				return err
			}
			tries++
			if out != nil && cellsOf(out) != cellsOf(plain) { // a field the table reads may be named, and changes nothing
				answered++
			}
		}
	}
	c.r.found("bisection-over-thresholds", float64(answered), 0, "answers to chosen thresholds or other fields, of %d tries", tries)
	return nil
}

// absentSubjects: numbers are tried out. A merged template must answer for who is not there as for who
// is a "no", and identity matches count every attempt, absent subjects included.
func (c *campaign) absentSubjects(ctx context.Context) error {
	var strangers []*apiv1.Subject
	for i := range 50 {
		number, err := c.w.town.Stranger(i)
		if err != nil {
			return err
		}
		strangers = append(strangers, &apiv1.Subject{Number: number})
	}
	told := map[apiv1.Answer]bool{apiv1.Answer_ANSWER_NO: true}
	for _, id := range []string{"owns-home", "male", "married"} {
		out, rule, err := c.g.batch(ctx, "bank", "open", id, strangers)
		if err != nil {
			return err
		}
		if rule == "" {
			for _, a := range out.GetAnswers() {
				told[a] = true
			}
		}
	}
	c.r.found("absent-told-apart", float64(len(told)-1), 0, "answers other than no for 50 numbers of nobody, merged templates")
	return c.guessPhones(ctx, strangers[0].GetNumber())
}

// guessPhones: a phone is found by trying; so attempts on one subject are few, in every spelling and form.
func (c *campaign) guessPhones(ctx context.Context, absent string) error {
	most := 0
	for _, number := range []string{absent, c.w.people[5].RID} {
		got := 0
		for try := range 12 {
			spelled := number
			if try%2 == 1 {
				spelled = number[:6] + " " + number[6:]
			}
			s := &apiv1.Subject{Number: spelled, Name: c.w.people[5].Name, Phone: fmt.Sprintf("138%08d", try)}
			in := question("open", "same-person", "")
			in.Subject = s
			out, _, err := c.g.verify(ctx, "bank", in)
			if err != nil {
				return err
			}
			if out != nil {
				got++
			}
			many, _, err := c.g.batch(ctx, "bank", "open", "same-person", []*apiv1.Subject{s, s})
			if err != nil {
				return err
			}
			got += len(many.GetAnswers())
		}
		most = max(most, got)
	}
	c.r.found("identity-guesses", float64(most), 3, "identity matches of one unit on one subject in a day, singly, in batches and respelt, present or absent")
	return nil
}
