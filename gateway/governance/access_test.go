package governance

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// policies adds Cedar to the fixture, indented as a block of YAML.
func policies(text string) edit {
	return edit{"scenarios:\n", "policies: |\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\nscenarios:\n"}
}

const noTables = `forbid (principal == Party::"bank", action == Action::"table", resource);`

func TestPoliciesOfADomainFileForbidMore(t *testing.T) {
	p := policyOf(t, policies(noTables))
	table := &Ask{Party: "bank", Scenario: housingID, Act: ActTable, Query: "homes-by-district", At: noon}
	permits(t, policyOf(t), table)
	r := refuses(t, p, table, PolicyForbidden)
	require.Equal(t, "YM-2109", r.Code)
	permits(t, p, ask())
	permits(t, p, &Ask{Party: "bank2", Scenario: housingID, Act: ActTable, Query: "homes-by-district", At: noon})
	require.NotEqual(t, policyOf(t).Hash, p.Hash)

	text, err := p.Domain().Canonical()
	require.NoError(t, err)
	back, err := ParseDomain(text)
	require.NoError(t, err)
	require.Equal(t, p.Domain().Policies, back.Policies)
}

func TestPoliciesThatDoNotParseRefuseTheFileWithTheirLine(t *testing.T) {
	start := lineOf(t, domainText, "scenarios:") + 1 // the line after "policies: |"
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"syntax":    {"forbid (principal, action, resource);\nforbid (principal, action;", start + 1},
		"permit":    {noTables + "\n\npermit (principal, action, resource);", start + 2},
		"no policy": {"// nothing", start},
		"depth":     {"forbid (principal, action, resource) when { " + strings.Repeat("(", 70) + "true" + strings.Repeat(")", 70) + " };", start},
		"negations": {"forbid (principal, action, resource) when { " + strings.Repeat("!", 5000) + "true };", start},
		"long":      {noTables + strings.Repeat("\n"+noTables, 500), start},
	} {
		_, err := ParseDomain([]byte(textOf(t, policies(c.text))))
		var e *FileError
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, Malformed, e.Rule, name)
		require.Equal(t, "policies", e.Path, name)
		require.Equal(t, c.line, e.Line, name)
	}
	for _, value := range []string{"[]", "{}", "~", `""`, "1"} {
		_, err := ParseDomain([]byte(textOf(t, edit{"scenarios:\n", "policies: " + value + "\nscenarios:\n"})))
		require.Error(t, err, value)
	}
}

// Taking a policy away allows more: that needs the signatures for looser settings.
func TestPoliciesAreTakenAwayWithTwoKeys(t *testing.T) {
	first := policyOf(t, policies(noTables))
	more := domainOf(t, policies("// reordered\nforbid (principal == Party::\"bank2\", action, resource);\n"+noTables))
	next, err := NewPolicy(first, more, sign(t, more), noon)
	require.NoError(t, err)
	without := domainOf(t, with("revision: 1"))
	_, err = NewPolicy(next, without, sign(t, without), noon)
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Equal(t, SettingsLoosened, e.Rule)
	require.Equal(t, "policies", e.Path)
	_, err = NewPolicy(next, without, append(sign(t, without), settle(t, without, everyProvider()...)...), noon)
	require.NoError(t, err)
}

func FuzzPolicies(f *testing.F) {
	f.Add(noTables)
	f.Add(string(builtinPolicies))
	f.Add(`forbid (principal, action, resource) when { context.grade like "*" || ip("::1").isLoopback() };`)
	u := &accessUnit{"app", []string{RoleApplicationUnit}, "use"}
	q := &accessQuery{id: "x", sharing: SharingOpen, kind: "table", output: outputTable, parts: []accessField{{use: "row", technique: "exact"}}}
	f.Fuzz(func(t *testing.T, text string) {
		if !policyText(text) {
			return
		}
		list, err := parsePolicies([]byte(text))
		if err != nil {
			require.GreaterOrEqual(t, policyErrorLine(err), 0)
			return
		}
		q.forbidden(list, u, ActTable)
		require.True(t, keepsPolicies(text, text))
	})
}
