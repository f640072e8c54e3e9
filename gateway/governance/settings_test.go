package governance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// with adds a settings section to the fixture.
func with(settings string) edit {
	return edit{"scenarios:\n", "settings: {" + settings + "}\nscenarios:\n"}
}

// settle signs the settings of d as authority and as the providers named.
func settle(t testing.TB, d *Domain, providers ...string) []Approval {
	t.Helper()
	a, err := SignApproval(d, ObjectSettings, ObjectSettings, "shuju", AsAuthority, keys()["shuju"])
	require.NoError(t, err)
	out := []Approval{a}
	for _, id := range providers {
		a, err := SignApproval(d, ObjectSettings, ObjectSettings, id, AsProvider, keys()[id])
		require.NoError(t, err)
		out = append(out, a)
	}
	return out
}

func everyProvider() []string { return []string{"zhujian", "renshe", "gongan"} }

func loosened(t testing.TB, err error, keys ...string) {
	t.Helper()
	var es FileErrors
	require.ErrorAs(t, err, &es)
	var got []string
	for _, e := range es {
		require.Equal(t, SettingsLoosened, e.Rule)
		require.Equal(t, "YM-1009", e.Refusal.Code)
		require.Equal(t, GatewayRule, e.Refusal.Article)
		got = append(got, strings.TrimPrefix(e.Path, "settings."))
	}
	require.ElementsMatch(t, keys, got)
}

func TestSettingsDefaultToTodaysNumbers(t *testing.T) {
	require.Equal(t, DefaultSettings(), policyOf(t).Settings())
	var none *Policy
	require.Equal(t, DefaultSettings(), none.Settings())
	require.Equal(t, DefaultSettings(), (&Policy{}).Settings())
	s := policyOf(t, with("minimum_subjects: 20, batch_max: 7")).Settings()
	want := DefaultSettings()
	want.MinimumSubjects, want.BatchMax = 20, 7
	require.Equal(t, want, s)
}

func TestSettingsTightenAtOnceAndLoosenWithTwoKeys(t *testing.T) {
	first := policyOf(t, with("minimum_subjects: 20"))
	looser := domainOf(t, with("minimum_subjects: 19, revision: 1"))
	all := append(sign(t, looser), settle(t, looser, everyProvider()...)...)
	next, err := NewPolicy(first, looser, all, noon)
	require.NoError(t, err)
	require.Equal(t, int64(19), next.Settings().MinimumSubjects)
	require.NotEqual(t, first.Hash, next.Hash)

	// every signature counts, and only over these settings
	signatures := settle(t, looser, everyProvider()...)
	for i := range signatures {
		less := append(sign(t, looser), signatures[:i]...)
		less = append(less, signatures[i+1:]...)
		_, err := NewPolicy(first, looser, less, noon)
		loosened(t, err, "minimum_subjects")
		spoiled := signatures[i]
		spoiled.Signature = flip(spoiled.Signature)
		_, err = NewPolicy(first, looser, append(less, spoiled), noon)
		loosened(t, err, "minimum_subjects")
	}
	other := domainOf(t, with("minimum_subjects: 18, revision: 1"))
	_, err = NewPolicy(first, other, all, noon)
	loosened(t, err, "minimum_subjects")

	// leaving the section out is a loosening too, and its line is the file's
	d := domainOf(t)
	_, err = NewPolicy(first, d, append(sign(t, d), settle(t, d, everyProvider()...)...), noon)
	loosened(t, err, "minimum_subjects", "revision")
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Zero(t, e.Line)
	_, err = NewPolicy(nil, domainOf(t, with("share_permille: 124")), nil, noon)
	loosened(t, err, "share_permille", "revision")
}

// The signatures for a loosening serve once: tightened again, it needs a new revision.
func TestSignaturesOfALooseningAreNotReplayed(t *testing.T) {
	loose := domainOf(t, with("consent_per_year: 200, revision: 1"))
	signed := append(sign(t, loose), settle(t, loose, everyProvider()...)...)
	p, err := NewPolicy(nil, loose, signed, noon)
	require.NoError(t, err)
	tight := domainOf(t, with("consent_per_year: 100, revision: 1"))
	p, err = NewPolicy(p, tight, sign(t, tight), noon)
	require.NoError(t, err)
	_, err = NewPolicy(p, loose, signed, noon)
	loosened(t, err, "consent_per_year", "revision")
}

// A provider that was away has not agreed to what was loosened meanwhile.
func TestAProviderThatComesBackMustAgree(t *testing.T) {
	without, err := ParseDomain([]byte(strings.NewReplacer("PUB", keys()["shuju"].Public().String()).Replace(
		`{yumen: 1, domain: jilin-city, jurisdiction: jilin, parties: [{id: shuju, name: x, roles: [data_authority], key: "PUB"}], settings: {batch_max: 50, revision: 1}}`)))
	require.NoError(t, err)
	p := policyOf(t, with("batch_max: 40"))
	p, err = NewPolicy(p, without, settle(t, without), noon)
	require.NoError(t, err)
	back := domainOf(t, with("batch_max: 50, revision: 1"))
	_, err = NewPolicy(p, back, sign(t, back), noon)
	loosened(t, err, "batch_max")
	_, err = NewPolicy(p, back, append(sign(t, back), settle(t, back, everyProvider()...)...), noon)
	require.NoError(t, err)
}

func TestSettingsAreSignedInTheirRolesOnly(t *testing.T) {
	d := domainOf(t)
	for _, c := range []keyRole{{"shuju", AsProvider}, {"zhujian", AsAuthority}, {"bank", AsProvider}, {"zhujian", AsHolder}, {"nobody", AsAuthority}} {
		_, err := SignApproval(d, ObjectSettings, ObjectSettings, c.party, c.role, keys()["shuju"])
		require.Error(t, err)
	}
	_, err := SignApproval(d, ObjectSettings, "other", "shuju", AsAuthority, keys()["shuju"])
	require.Error(t, err)
	_, err = SignApproval(d, ObjectSettings, ObjectSettings, "shuju", AsAuthority, keys()["spare"])
	require.Error(t, err)
	out, err := MarshalApprovals(settle(t, d))
	require.NoError(t, err)
	back, err := ParseApprovals(out)
	require.NoError(t, err)
	require.Equal(t, settle(t, d)[0].Object, back[0].Object)
}

func TestSettingsOutOfBoundsAreRefusedWithTheirLine(t *testing.T) {
	for _, x := range settingsTable() {
		for _, v := range []string{fmt.Sprint(x.low - 1), fmt.Sprint(x.high + 1), "1e3", "~", "x", "[]"} {
			_, err := ParseDomain([]byte(textOf(t, with(x.key+": "+v))))
			var es FileErrors
			require.ErrorAs(t, err, &es, "%s %s", x.key, v)
			i := slices.IndexFunc(es, func(e *FileError) bool { return e.Path == "settings."+x.key })
			require.GreaterOrEqual(t, i, 0)
			require.Equal(t, Malformed, es[i].Rule)
			require.Equal(t, lineOf(t, domainText, "scenarios:"), es[i].Line)
		}
	}
	_, err := ParseDomain([]byte(textOf(t, with("minimum: 3"))))
	var e *FileError
	require.ErrorAs(t, err, &e)
	require.Equal(t, UnknownKey, e.Rule)
}

func TestSettingsBindDecisions(t *testing.T) {
	p := policyOf(t, with("result_days_max: 5, attempts_max: 3, k_min: 9"))
	d := permits(t, p, ask())
	require.Equal(t, noon.AddDate(0, 0, 5), d.Expires)
	require.Equal(t, int64(3), d.Limits.PerSubjectDay)
	d = permits(t, p, &Ask{Party: "bank", Scenario: housingID, Act: ActMask, Query: "housing-sample", At: noon})
	require.Equal(t, int64(9), d.LeastK())
	require.Equal(t, int64(5), permits(t, policyOf(t), &Ask{Party: "bank", Scenario: housingID, Act: ActMask, Query: "housing-sample", At: noon}).LeastK())
	_, err := ParseDomain([]byte(textOf(t, with("templates_per_field: 1"))))
	var e *FileError
	require.NoError(t, err, "the fixture has no two ordinary templates on a field")
	twice := edit{"tables:\n", "  - {id: again, dataset: housing, kind: exists, class: ordinary, not_found: merged, withheld: merged}\ntables:\n"}
	_, err = ParseDomain([]byte(textOf(t, twice, with("templates_per_field: 1"))))
	require.ErrorAs(t, err, &e)
	require.Equal(t, TemplateLimit, e.Rule)
}

// TestLooserAndWithinAreOpposites draws settings: moving any of them in its tighter direction never loosens.
func TestLooserAndWithinAreOpposites(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func() (s Settings) {
			for _, x := range settingsTable() {
				*x.of(&s) = rapid.Int64Range(x.low, min(x.high, x.low+3)).Draw(r, x.key)
			}
			return s
		}
		a, b := draw(), draw()
		tightest := a
		for _, x := range settingsTable() {
			if x.higher {
				*x.of(&tightest) = max(*x.of(&a), *x.of(&b))
			} else {
				*x.of(&tightest) = min(*x.of(&a), *x.of(&b))
			}
		}
		require.Empty(r, tightest.looserThan(a))
		require.True(r, tightest.Within(a) && tightest.Within(b))
		require.Equal(r, a == b, len(a.looserThan(b)) == 0 && len(b.looserThan(a)) == 0)
	})
}
