package masking_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
)

// A part of an identifier that is left singles out like any quasi-identifier: a k that does not count
// it is too good.
func TestExposedCountsPartsOfIdentifiers(t *testing.T) {
	direct := func(name, technique string, params map[string]string) masking.Column {
		return masking.Column{Name: name, Class: masking.ClassDirect, Grade: "3", Technique: technique, Params: params, Nulls: "keep"}
	}
	p := &masking.Policy{Columns: []masking.Column{
		direct("gone", "suppress", nil), direct("alias", "pseudonym", nil), direct("cipher", "encrypt", nil), direct("number", "fpe", nil),
		direct("part", "fpe", map[string]string{"keep_first": "3"}), direct("last", "redact", map[string]string{"keep_last": "4"}),
		{Name: "sex", Class: masking.ClassQuasi, Technique: "keep"}, {Name: "income", Class: masking.ClassSensitive, Technique: "keep"},
		{Name: "code", Class: masking.ClassQuasi, Technique: "pseudonym"},
	}}
	require.Equal(t, []string{"part", "last", "sex", "code"}, p.Exposed())
}

// A hierarchy lists values of its column; reports and receipts do not.
func TestPublishedParametersHoldNoTable(t *testing.T) {
	c := column("generalize", "to", "hierarchy", "level", "1", "table", "CANARYBIRD;X\nCANARYBIRD1;X")
	published := c.Published()
	require.Len(t, published, 3)
	require.Len(t, published["table_sm3"], 64)
	for name, v := range published {
		require.False(t, strings.Contains(v, "CANARY"), name)
	}
	require.Contains(t, c.Params, "table", "the policy is as it was")
}
