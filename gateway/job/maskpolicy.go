package job

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release/rules"
	"github.com/yumen-project/yumen/masking"
)

// leastK is the k a table must reach; of a sample, in the population.
func leastK(d *governance.Decision) int64 {
	if d.Mask.Sample != nil {
		return max(d.LeastK(), rules.SampleLeastK)
	}
	return d.LeastK()
}

// maskPolicy is the registered masked table as a policy. Class and grade are the dataset's. Columns that
// are only looked at, to say whose record it is, are read and do not leave.
func maskPolicy(d *governance.Decision) *masking.Policy {
	p := &masking.Policy{Name: d.Mask.ID, Release: masking.Inside}
	for _, c := range d.Mask.Columns {
		col := masking.Column{Name: c.Name, Technique: c.Technique, Params: c.Params, Key: c.Key, Nulls: c.Nulls, Malformed: c.Malformed}
		if col.Nulls == "" {
			col.Nulls = masking.NullsKeep
		}
		p.Columns = append(p.Columns, graded(d.Dataset, col))
	}
	for _, c := range d.Mask.Columns {
		if c.Technique == masking.TechniqueDateShift {
			lookAt(p, d.Dataset, c.Params["subject"])
		}
	}
	if s := d.Mask.Sample; s != nil {
		lookAt(p, d.Dataset, s.Column)
		p.Sample = &masking.Sample{Column: s.Column, Rate: s.Rate, Key: keyring.LineageKeyName}
		if s.Column == d.Dataset.Subject.Field {
			p.Sample.Kind = d.Dataset.Subject.Identifier
		}
	}
	return p
}

func graded(d *governance.Dataset, c masking.Column) masking.Column {
	if f := d.FieldNamed(c.Name); f != nil {
		c.Class, c.Grade = f.Class, f.Grade
	}
	return c
}

// lookAt adds a column of the dataset that is read and suppressed, unless the policy has it.
func lookAt(p *masking.Policy, d *governance.Dataset, name string) {
	has := func(c masking.Column) bool { return c.Name == name }
	if d.FieldNamed(name) == nil || slices.ContainsFunc(p.Columns, has) {
		return
	}
	p.Columns = append(p.Columns, graded(d, masking.Column{Name: name, Technique: masking.TechniqueSuppress, Nulls: masking.NullsKeep}))
}

// maskParams names every column's technique with its parameters, the name of its key, and the hash of
// the policy, which covers them all. What does not fit one parameter goes on in the next.
func maskParams(d *governance.Decision) map[string]string {
	p := maskPolicy(d)
	sum := p.Hash()
	out := map[string]string{
		"k": strconv.FormatInt(leastK(d), 10), "max_suppression": d.Mask.MaxSuppression, "policy_sm3": hex.EncodeToString(sum[:]),
	}
	if p.Sample != nil {
		out["sample"] = "of " + p.Sample.Column + ", rate " + p.Sample.Rate + "; k in the population"
	}
	var texts []string
	fits := len(out)+len(p.Columns) <= receipt.MaxParams
	for i := range p.Columns {
		texts = append(texts, columnText(&p.Columns[i]))
		fits = fits && len(texts[i]) <= receipt.MaxName && len("column "+p.Columns[i].Name) <= receipt.MaxName
	}
	if fits {
		for i, c := range p.Columns {
			out["column "+c.Name] = texts[i]
		}
		return out
	}
	for i, c := range p.Columns {
		texts[i] = c.Name + ": " + texts[i]
	}
	packed(out, strings.Join(texts, "; "))
	return out
}

// packed cuts a text into as many parameters as there are left. What is beyond is in the hash alone.
func packed(out map[string]string, text string) {
	for n := 1; text != "" && len(out) < receipt.MaxParams; n++ {
		end := min(len(text), receipt.MaxName)
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end--
		}
		out["columns "+strconv.Itoa(100 + n)[1:]], text = text[:end], text[end:]
	}
}

// columnText is a technique with its parameters: "redact keep_first=3, mask=*; nulls suppress".
func columnText(c *masking.Column) string {
	var b strings.Builder
	b.WriteString(c.Technique)
	params := c.Published()
	for i, name := range slices.Sorted(maps.Keys(params)) {
		b.WriteString([]string{" ", ", "}[min(i, 1)] + name + "=" + params[name])
	}
	if c.Key != "" {
		b.WriteString("; key " + c.Key)
	}
	if c.Nulls != masking.NullsKeep {
		b.WriteString("; nulls " + c.Nulls)
	}
	if c.Malformed == masking.Suppress {
		b.WriteString("; malformed " + c.Malformed)
	}
	return b.String()
}
