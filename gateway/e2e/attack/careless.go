package main

import (
	"context"
	"fmt"
	"strings"
)

// careless: authority and providers sign overlapping tables, each harmless alone: filters a hair apart, so
// that the difference of two is a handful of people. Registration must not let both be answered.
func (c *campaign) careless(ctx context.Context) error {
	var lines, ids []string
	people := c.people()
	var tables []asked
	for day := 1; day <= 28; day++ {
		from := fmt.Sprintf("1980-02-%02d", day)
		id := "born-from-" + from
		ids = append(ids, id)
		lines = append(lines, fmt.Sprintf(`  - {id: %s, dataset: household, filters: [{field: birth, op: ">=", value: %q}], group_by: [sex], measures: [{kind: count}]}`, id, from))
		tables = append(tables, asked{id, people, func(r *record) bool { return r.birth >= from }})
	}
	text := strings.Replace(domainText, "\ntables:\n", "\ntables:\n"+strings.Join(lines, "\n")+"\n", 1)
	text = strings.Replace(text, "tables: [homes-by-district", "tables: ["+strings.Join(ids, ", ")+", homes-by-district", 1)
	g, err := c.w.gateway(ctx, text, c.w.registers)
	if err != nil {
		c.r.found("overlapping-filters", 0, 0, "the domain file was refused as a whole: nothing was registered")
		return nil //nolint:nilerr // the refusal is what was to be shown
	}
	inner := &campaign{w: c.w, g: g, r: c.r, size: c.size}
	if err := inner.difference(ctx, "overlapping-filters", people, tables); err != nil {
		return err
	}
	if err := inner.leastSquares(ctx, "overlapping-filters", people, tables); err != nil {
		return err
	}
	return g.stop()
}
