package governance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func stop(kind, id string) Suspension {
	return Suspension{Kind: kind, ID: id, Reason: "违规使用", By: "shuju", At: noon}
}

func TestR60_SuspensionStopsTheVeryNextRequestAndResumes(t *testing.T) {
	p := policyOf(t)
	for _, s := range []Suspension{
		stop(TargetParty, "bank"), stop(TargetParty, "yunying"), stop(TargetParty, "zhujian"), stop(TargetParty, "shuju"),
		stop(TargetAgreement, "bank-use"), stop(TargetAgreement, "op-2026"),
		stop(TargetScenario, propertyID), stop(TargetDataset, "housing"),
	} {
		q, err := p.WithSuspension(s)
		require.NoError(t, err)
		require.Equal(t, p.Epoch+1, q.Epoch)
		require.NotEqual(t, p.Hash, q.Hash)
		require.Equal(t, "六.7", refuses(t, q, ask(), Suspended).Article)
		permits(t, p, ask())
		s.Resume, s.Reason = true, "整改完成"
		r, err := q.WithSuspension(s)
		require.NoError(t, err)
		permits(t, r, ask())
		require.Empty(t, r.Suspensions())
		require.Equal(t, p.Hash, r.Hash)
	}
}

func TestR64_AMisusingUnitIsPausedAndNoOther(t *testing.T) {
	p, err := policyOf(t).WithSuspension(stop(TargetParty, "bank"))
	require.NoError(t, err)
	refuses(t, p, ask(), Suspended)
	refuses(t, p, ask(func(a *Ask) { a.Scenario = "marriage" }), Suspended)
	permits(t, p, &Ask{Party: "bank2", Scenario: housingID, Act: ActVerify, Query: "in-district", At: noon})
}

func TestR61_SuspendedDatasetPausesSupplyOfItAlone(t *testing.T) {
	p, err := policyOf(t).WithSuspension(stop(TargetDataset, "household"))
	require.NoError(t, err)
	refuses(t, p, &Ask{Party: "bank2", Scenario: housingID, Act: ActVerify, Query: "in-district", At: noon}, Suspended)
	permits(t, p, ask())
}

func TestSuspensionOutlivesDomainFiles(t *testing.T) {
	p, err := policyOf(t).WithSuspension(stop(TargetParty, "bank"))
	require.NoError(t, err)
	gone, err := ParseDomain([]byte("yumen: 1\ndomain: jilin-city\njurisdiction: jilin\n"))
	require.NoError(t, err)
	p, err = NewPolicy(p, gone, nil, noon)
	require.NoError(t, err)
	require.Equal(t, []Suspension{stop(TargetParty, "bank")}, p.Suspensions())
	d := domainOf(t)
	p, err = NewPolicy(p, d, sign(t, d), noon)
	require.NoError(t, err)
	refuses(t, p, ask(), Suspended)
}

func TestSuspensionOfNothingIsRefused(t *testing.T) {
	p := policyOf(t)
	for _, s := range []Suspension{
		stop(TargetParty, "banc"), stop("template", "owns-home"), stop("", ""), stop(TargetScenario, "bank"),
		{Kind: TargetParty, ID: "bank", By: "shuju", At: noon},
		{Kind: TargetParty, ID: "bank", Reason: "x", At: noon},
		{Kind: TargetParty, ID: "bank", Reason: "x", By: "shuju"},
		{Kind: TargetParty, ID: "bank", Reason: "x", By: "shuju", At: noon, Resume: true},
	} {
		q, err := p.WithSuspension(s)
		require.Nil(t, q)
		var r *Refusal
		require.ErrorAs(t, err, &r)
	}
	q, err := p.WithSuspension(stop(TargetParty, "bank"))
	require.NoError(t, err)
	again := stop(TargetParty, "bank")
	again.Reason = "其他"
	q, err = q.WithSuspension(again)
	require.NoError(t, err)
	require.Equal(t, "违规使用", q.Suspensions()[0].Reason)
	_, err = (&Policy{}).WithSuspension(stop(TargetParty, "bank"))
	require.Error(t, err)
}

// TestSuspensionNeverAllowsMore draws policies, suspensions and questions.
func TestSuspensionNeverAllowsMore(t *testing.T) {
	variants := []*Policy{
		policyOf(t), policyOf(t, edit{"consent: required", "consent: not_required"}),
		policyOf(t, edit{"sharing: open", "sharing: verify_only"}, edit{"until: 2027-01-31", "until: 2026-10-30"}),
	}
	half, err := NewPolicy(nil, variants[0].domain, sign(t, variants[0].domain)[:3], noon)
	require.NoError(t, err)
	variants = append(variants, half)
	targets := map[string][]string{
		TargetParty:     {"shuju", "zhujian", "renshe", "gongan", "yunying", "bank", "bank2", "inspector", "exchange"},
		TargetAgreement: {"op-2026", "bank-use", "bank2-use"}, TargetScenario: {propertyID, housingID},
		TargetDataset: {"household", "housing", "insurance"},
	}
	permitted := 0
	rapid.Check(t, func(r *rapid.T) {
		p := rapid.SampledFrom(variants).Draw(r, "policy")
		q := p
		for range rapid.IntRange(0, 4).Draw(r, "suspensions") {
			kind := rapid.SampledFrom([]string{TargetParty, TargetAgreement, TargetScenario, TargetDataset}).Draw(r, "kind")
			next, err := q.WithSuspension(stop(kind, rapid.SampledFrom(targets[kind]).Draw(r, "id")))
			require.NoError(r, err)
			q = next
		}
		for range 50 {
			a := drawAsk(r)
			before, _ := p.Decide(a)
			after, refusal := q.Decide(a)
			require.Equal(r, after == nil, refusal != nil)
			if after != nil {
				permitted++
				require.NotNil(r, before)
			}
			if before == nil {
				require.Nil(r, after)
			}
		}
	})
	require.Positive(t, permitted)
}

func drawAsk(r *rapid.T) *Ask {
	pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(r, label) }
	a := &Ask{
		Party: pick("party", "bank", "bank", "bank2", "yunying", "zhujian", "nobody"), Scenario: pick("scenario", propertyID, housingID, "marriage"),
		Act: Act(pick("act", "verify", "verify", "batch", "table", "mask", "x")),
		Query: pick("query", "owns-home", "insured-24m", "in-district", "home-mid", "same-person", "has-lien", "has-lien-by-law",
			"long-insured", "remarked", "homes-by-district", "people-by-district", "housing-sample"),
		Consent: pick("consent", "", "c-0001", "c-0002", "c-0003"), Threshold: pick("threshold", "", "", "", "x") != "",
		At: noon.Add(time.Duration(rapid.IntRange(-400, 400).Draw(r, "days")) * 24 * time.Hour),
	}
	if pick("subject", person, "") != "" {
		a.Subject = []byte(person)
	}
	return a
}
