package governance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestR20_WhatIsGrantedIsPermittedWithItsGrounds(t *testing.T) {
	p := policyOf(t)
	require.Empty(t, p.Inactive())
	d := permits(t, p, ask())
	require.Same(t, p, d.Policy)
	require.Equal(t, "bank", d.Party.ID)
	require.Equal(t, "bank-use", d.Use.ID)
	require.Equal(t, "op-2026", d.Operation.ID)
	require.Equal(t, "owns-home", d.Template.ID)
	require.Equal(t, "housing", d.Dataset.ID)
	require.Equal(t, "c-0001", d.Consent.ID)
	require.Nil(t, d.Table)
	require.Nil(t, d.Mask)
	require.Equal(t, Limits{PerDay: 100000, PerSubjectDay: 20}, d.Limits)
	// 90 days would end on 29 January; the consent ends with 31 December.
	require.Equal(t, time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC), d.Expires)

	housing := func(q string, act Act) *Ask {
		return &Ask{Party: "bank2", Scenario: housingID, Act: act, Query: q, At: noon}
	}
	d = permits(t, p, housing("same-person", ActVerify))
	require.Equal(t, Limits{PerDay: 1000, PerSubjectDay: defaultAttempts, Attempts: true}, d.Limits)
	require.Equal(t, noon.AddDate(0, 0, 30), d.Expires)
	permits(t, p, housing("in-district", ActBatch))
	permits(t, p, housing("has-lien-by-law", ActVerify))
	permits(t, p, housing("homes-by-district", ActTable))
	permits(t, p, housing("housing-sample", ActMask))
}

// TestRemovingOnePrecondition takes one thing away from what is permitted; the refusal names it.
func TestRemovingOnePrecondition(t *testing.T) {
	p := policyOf(t)
	set := func(f func(*Ask)) *Ask { return ask(f) }
	other := func(query string, act Act, consent string) *Ask {
		return &Ask{Party: "bank", Scenario: housingID, Act: act, Query: query, Consent: consent, Subject: []byte(person), At: noon}
	}
	early := noon.AddDate(0, -6, 0)
	for name, c := range map[string]struct {
		ask  *Ask
		rule Rule
	}{
		"party":             {set(func(a *Ask) { a.Party = "nobody" }), UnknownParty},
		"no party":          {set(func(a *Ask) { a.Party = "" }), UnknownParty},
		"role":              {set(func(a *Ask) { a.Party = "zhujian" }), RoleNotAllowed},
		"regulator":         {set(func(a *Ask) { a.Party = "inspector" }), RoleNotAllowed},
		"scenario":          {set(func(a *Ask) { a.Scenario = "marriage" }), ScenarioUnknown},
		"foreign scenario":  {set(func(a *Ask) { a.Party = "bank2" }), UnitNotInScenario},
		"template":          {set(func(a *Ask) { a.Query = "richer-than" }), TemplateUnregistered},
		"foreign template":  {set(func(a *Ask) { a.Query = "home-mid" }), TemplateUnregistered},
		"table":             {set(func(a *Ask) { a.Act, a.Query = ActTable, "adhoc" }), TableUnregistered},
		"template as table": {set(func(a *Ask) { a.Act = ActTable }), TableUnregistered},
		"mask":              {set(func(a *Ask) { a.Act, a.Query = ActMask, "housing-sample" }), MaskUnregistered},
		"act":               {set(func(a *Ask) { a.Act = "export" }), TemplateUnregistered},
		"threshold":         {set(func(a *Ask) { a.Threshold = true }), ThresholdSupplied},
		"other field":       {set(func(a *Ask) { a.Fields = []string{"area"} }), ThresholdSupplied},
		"unknown field":     {set(func(a *Ask) { a.Threshold, a.Fields = true, []string{"colour"} }), FieldUnknown},
		"ungraded field":    {set(func(a *Ask) { a.Fields = []string{"remark"} }), FieldUngraded},
		"consent":           {set(func(a *Ask) { a.Consent = "" }), ConsentMissing},
		"unknown consent":   {set(func(a *Ask) { a.Consent = "c-9999" }), ConsentMissing},
		"other subject":     {set(func(a *Ask) { a.Subject = []byte("110105194912310038") }), ConsentForeign},
		"no subject":        {set(func(a *Ask) { a.Subject = nil }), ConsentForeign},
		"other template":    {set(func(a *Ask) { a.Query = "insured-24m" }), ConsentForeign},
		"other scenario":    {set(func(a *Ask) { a.Consent = "c-0003" }), ConsentForeign},
		"revoked":           {set(func(a *Ask) { a.Consent = "c-0002" }), ConsentRevoked},
		"consent over":      {set(func(a *Ask) { a.At = time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC) }), ConsentExpired},
		"use not yet":       {set(func(a *Ask) { a.At = time.Date(2026, 1, 31, 15, 59, 59, 0, time.UTC) }), AgreementNotYet},
		"use over":          {set(func(a *Ask) { a.At = time.Date(2027, 1, 31, 16, 0, 0, 0, time.UTC) }), AgreementExpired},
		"no clock":          {set(func(a *Ask) { a.At = time.Time{} }), AgreementNotYet},
		"rare unconsented":  {other("has-lien", ActVerify, ""), ConsentMissing},
		"rare batch":        {other("has-lien-by-law", ActBatch, ""), BatchNotAllowed},
		"consented":         {other("long-insured", ActVerify, ""), ConsentMissing},
		"named and expired": {other("long-insured", ActVerify, "c-0003"), ConsentExpired},
		"named needlessly":  {other("in-district", ActVerify, "c-0003"), ConsentForeign},
		"table and consent": {other("homes-by-district", ActTable, "c-0003"), ConsentForeign},
		"ungraded template": {other("remarked", ActVerify, ""), FieldUngraded},
		"core data":         {other("cored", ActVerify, ""), DatasetProhibited},
		"table of closed":   {other("people-by-district", ActTable, ""), DatasetSharing},
		"mask of closed":    {other("household-sample", ActMask, ""), DatasetSharing},
		"operator verifies": {&Ask{Party: "yunying", Scenario: housingID, Act: ActVerify, Query: "in-district", At: noon}, RoleNotAllowed},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, p, c.ask, c.rule) })
	}
	permits(t, p, &Ask{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "long-insured", Consent: "c-0003", Subject: []byte(person), At: early})
	permits(t, p, &Ask{Party: "yunying", Scenario: housingID, Act: ActMask, Query: "housing-sample", At: noon})
}

func TestR43_VerificationWorksOnDataThatMayNotBeShared(t *testing.T) {
	p := policyOf(t)
	d := permits(t, p, &Ask{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "in-district", At: noon})
	require.Equal(t, SharingVerifyOnly, d.Dataset.Sharing)
	r := refuses(t, p, &Ask{Party: "bank", Scenario: housingID, Act: ActTable, Query: "people-by-district", At: noon}, DatasetSharing)
	require.Equal(t, "R43", r.Requirement)
}

func TestR3_UngradedFieldsAreRefusedEverywhere(t *testing.T) {
	gone := edit{"{name: district, type: string, class: quasi_identifier, grade: 2}\n      - {name: area", "{name: district, type: string, class: quasi_identifier}\n      - {name: area"}
	p := policyOf(t, gone)
	for _, a := range []*Ask{
		{Party: "bank", Scenario: housingID, Act: ActTable, Query: "homes-by-district", At: noon},
		{Party: "bank", Scenario: housingID, Act: ActMask, Query: "housing-sample", At: noon},
		{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "remarked", At: noon},
		{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "home-mid", Fields: []string{"district"}, At: noon},
	} {
		require.Equal(t, "五", refuses(t, p, a, FieldUngraded).Article)
	}
	p = policyOf(t, edit{"{name: rid, type: string, class: direct_identifier, grade: 3}", "{name: rid, type: string, grade: 3}"})
	refuses(t, p, &Ask{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "in-district", At: noon}, FieldUngraded)
}

func TestR28_AgreementsExpireByThemselvesAtTheEndOfTheirDay(t *testing.T) {
	p := policyOf(t)
	at := func(s string) *Ask {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, zone())
		require.NoError(t, err)
		return &Ask{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "in-district", At: v}
	}
	refuses(t, p, at("2026-01-31 23:59:59"), AgreementNotYet)
	permits(t, p, at("2026-02-01 00:00:00"))
	d := permits(t, p, at("2027-01-31 23:59:59"))
	require.Equal(t, time.Date(2027, 1, 31, 16, 0, 0, 0, time.UTC), d.Expires)
	require.Equal(t, "六.7", refuses(t, p, at("2027-02-01 00:00:00"), AgreementExpired).Article)
}

func TestR49_ResultsAreBoundToUnitAndScenario(t *testing.T) {
	r := refuses(t, policyOf(t), ask(func(a *Ask) { a.Party = "bank2" }), UnitNotInScenario)
	require.Equal(t, "九", r.Article)
	require.Equal(t, "YM-2004 unit-not-in-scenario", r.Error())
}

func TestNilAndZeroPolicyRefuseEverything(t *testing.T) {
	var none *Policy
	require.Equal(t, GatewayRule, refuses(t, none, ask(), UnknownParty).Article)
	refuses(t, &Policy{}, ask(), UnknownParty)
	require.Empty(t, none.Inactive())
	require.Nil(t, none.Domain())
	require.Equal(t, Sealed, none.Refuse(Sealed).Rule)
}

func TestRefusalsAreNotShared(t *testing.T) {
	p := policyOf(t)
	refuses(t, p, ask(func(a *Ask) { a.Party = "x" }), UnknownParty).EN = "changed"
	require.NotEqual(t, "changed", refuses(t, p, ask(func(a *Ask) { a.Party = "x" }), UnknownParty).EN)
}

func BenchmarkDecide(b *testing.B) {
	p := policyOf(b)
	consented, plain := ask(), &Ask{Party: "bank", Scenario: housingID, Act: ActVerify, Query: "in-district", At: noon}
	for name, a := range map[string]*Ask{"consent": consented, "plain": plain} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, r := p.Decide(a); r != nil {
					b.Fatal(r)
				}
			}
		})
	}
}
