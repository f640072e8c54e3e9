package job

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/yumen-project/yumen/gateway/governance"
)

// pattern is the outcome of registering one exact table for one dataset version: which of its cells may
// be shown, for whoever asks and as often as they ask. It goes into the log before the first answer,
// and a restart takes it from there.
type pattern struct {
	Dataset string `json:"dataset"`
	Version string `json:"version"`
	// Fingerprint of what it was judged on: data, their reading, the least number of subjects.
	// Elsewhere it says nothing.
	Fingerprint string `json:"fingerprint"`
	// Table is the table in canonical form: no id, filters, columns and measures sorted and distinct.
	Table governance.Table `json:"table"`
	// Shown lists the group keys of the cells that may be shown, in the order of Table.GroupBy.
	Shown [][]string `json:"shown"`
	// Cells is how many cells the table has, shown or withheld; 0 in old entries.
	Cells int `json:"cells,omitempty"`
	// Total says that the number over the whole table was judged as told.
	Total bool `json:"total,omitempty"`
	// Refused: beside the earlier tables no cell of this one is safe.
	Refused bool `json:"refused,omitempty"`

	keys map[string]bool // Shown, joined; filled by take
}

func (p *pattern) index() {
	p.keys = make(map[string]bool, len(p.Shown))
	for _, k := range p.Shown {
		p.keys[joinKeys(k)] = true
	}
}

// joinKeys writes keys as one text, different for different keys.
func joinKeys(keys []string) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(strconv.Itoa(len(k)))
		b.WriteByte(':')
		b.WriteString(k)
	}
	return b.String()
}

// canonicalExact is the table without what does not change its figures: two tables that differ by id,
// or by the order of conditions, columns or measures, are one.
func canonicalExact(t *governance.Table) governance.Table {
	out := governance.Table{Dataset: t.Dataset, GroupBy: slices.Sorted(slices.Values(t.GroupBy))}
	for _, f := range t.Filters {
		f.Values = slices.Compact(slices.Sorted(slices.Values(f.Values)))
		out.Filters = append(out.Filters, f)
	}
	out.Filters = sortedByText(out.Filters)
	out.Measures = sortedByText(slices.Clone(t.Measures))
	return out
}

func sortedByText[T any](in []T) []T {
	text := func(v *T) string { return fmt.Sprintf("%q", fmt.Sprintf("%+v", *v)) }
	slices.SortFunc(in, func(a, b T) int { return strings.Compare(text(&a), text(&b)) })
	return slices.CompactFunc(in, func(a, b T) bool { return text(&a) == text(&b) })
}

// tableKey is the canonical form as text.
func tableKey(t *governance.Table) (string, error) {
	c := canonicalExact(t)
	text, err := json.Marshal(&c)
	if err != nil {
		return "", fmt.Errorf("canonical table: %w", err)
	}
	return string(text), nil
}

// patternsOf picks the patterns of one version from those the log holds.
func patternsOf(all []*pattern, version string) []*pattern {
	if len(all) == 0 || all[0].Version != version {
		return nil
	}
	return all
}

// takePattern makes a registered table part of the domain. A pattern of another version or of other
// data ends those before it.
func (d *domain) takePattern(p *pattern) {
	p.index()
	list := d.patterns[p.Dataset]
	if len(list) > 0 && (list[0].Version != p.Version || list[0].Fingerprint != p.Fingerprint) {
		list = nil
	}
	d.patterns[p.Dataset] = append(slices.Clip(list), p)
}

// tablesOf joins the exact tables of the policy in force with their patterns.
func (d *domain) tablesOf() (map[string]*exact, error) {
	out := map[string]*exact{}
	domain := d.policy.Domain()
	if domain == nil {
		return out, nil
	}
	for i := range domain.Tables {
		t := &domain.Tables[i]
		if t.Privacy != nil {
			continue
		}
		key, err := tableKey(t)
		if err != nil {
			return nil, err
		}
		for _, p := range patternsOf(d.patterns[t.Dataset], versionOf(domain, t.Dataset)) {
			if had, err := tableKey(&p.Table); err == nil && had == key && !p.Refused {
				out[t.ID] = &exact{pattern: p, order: orderOf(t.GroupBy, p.Table.GroupBy)}
			}
		}
	}
	return out, nil
}

func versionOf(d *governance.Domain, dataset string) string {
	for i := range d.Datasets {
		if d.Datasets[i].ID == dataset {
			return d.Datasets[i].Version
		}
	}
	return ""
}

// exact is a registered table under the id it is asked by.
type exact struct {
	pattern *pattern
	order   []int // of each canonical key, its place in the table's own
}

func orderOf(own, canonical []string) []int {
	out := make([]int, len(canonical))
	for i, name := range canonical {
		out[i] = slices.Index(own, name)
	}
	return out
}

// shows says whether the registered pattern shows the cell of these keys.
func (e *exact) shows(keys []string) bool {
	canonical := make([]string, len(e.order))
	for i, at := range e.order {
		if at < 0 || at >= len(keys) {
			return false
		}
		canonical[i] = keys[at]
	}
	return e.pattern.keys[joinKeys(canonical)]
}
