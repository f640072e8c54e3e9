package job

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
)

// definition is what makes two templates of a dataset the same question.
func definition(t *governance.Template) string {
	return fmt.Sprintf("%q", []any{t.Kind, t.Field, t.Op, t.Value, t.Values, t.Low, t.High, t.NotFound, t.Withheld})
}

func sameQuestion(t *governance.Template) func(governance.Template) bool {
	want := definition(t)
	return func(o governance.Template) bool { return definition(&o) == want }
}

// predecessors are the ordinary templates that were answered about a dataset and are no longer in its
// domain file, under names that no file uses. They are part of the program, so that what replaces them is
// refined jointly with them; nobody can ask them. One whose field is gone has no outcome to refine with.
func predecessors(reg *registration, now []*governance.Template, schema *arrow.Schema) []*governance.Template {
	if reg == nil {
		return nil
	}
	var out []*governance.Template
	for i := range reg.Given {
		t := reg.Given[i]
		asked := slices.ContainsFunc(now, func(n *governance.Template) bool { return ordinary(n) && definition(n) == definition(&t) })
		if asked || t.Field != "" && !schema.HasField(t.Field) {
			continue
		}
		sum := audit.HashOf([]byte(definition(&t)))
		t.ID = "was " + hex.EncodeToString(sum[:8])
		out = append(out, &t)
	}
	return out
}

// givenFirst orders templates: those answered before, then the rest, each in the order of the file.
func givenFirst(reg *registration, templates []*governance.Template) []*governance.Template {
	if reg == nil {
		return templates
	}
	var first, rest []*governance.Template
	for _, t := range templates {
		if slices.ContainsFunc(reg.Given, sameQuestion(t)) {
			first = append(first, t)
		} else {
			rest = append(rest, t)
		}
	}
	return append(first, rest...)
}

// give notes that a template may be answered from now on: what replaces it must reckon with it.
func (r *registration) give(t *governance.Template) {
	if !slices.ContainsFunc(r.Given, sameQuestion(t)) {
		r.Given = append(r.Given, *t)
	}
}

// carried keeps what earlier registrations gave.
func carried(before, reg *registration) *registration {
	if before != nil {
		for i := range before.Given {
			reg.give(&before.Given[i])
		}
	}
	return reg
}
