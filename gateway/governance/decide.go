package governance

import (
	"slices"
	"time"
)

// Act is what a question wants done.
type Act string

// The acts.
const (
	ActVerify Act = "verify"
	ActBatch  Act = "batch"
	ActTable  Act = "table"
	ActMask   Act = "mask"
)

// Ask is one question, reduced to what a decision depends on.
type Ask struct {
	Party    string // authenticated
	Scenario string
	Act      Act
	Query    string // id of a template, table or mask
	// Threshold says that the caller supplied a threshold, operation or value of his own.
	Threshold bool
	// Fields are the fields the caller named, if any.
	Fields []string
	// Consent is the id of a consent, or empty.
	Consent string
	// Subject is the canonical identifier asked about; it is compared with the consent's and not kept.
	Subject []byte
	At      time.Time
}

// Limits are the quotas that bind a decision.
type Limits struct {
	PerDay        int64 // questions of this unit under this scenario in a day
	PerSubjectDay int64 // attempts of this unit on one subject in a day; counts where Attempts is set
	Attempts      bool  // an identity match: every attempt counts, absent subjects included
}

// Decision is a permission with everything it rests on. What it points to is shared and must not be altered.
type Decision struct {
	Policy    *Policy
	Party     *Party
	Unit      *Unit
	Scenario  *Scenario
	Use       *Agreement
	Operation *Agreement
	Template  *Template // for verify and batch
	Table     *Table    // for table
	Mask      *Mask     // for mask
	Dataset   *Dataset
	Consent   *Consent  // nil if none was named
	Expires   time.Time // the result may not be used from here on
	Limits    Limits
}

// LeastK is the k that a masked table must reach: the one registered, or the one of the settings.
func (d *Decision) LeastK() int64 { return max(int64(d.Mask.K), d.Policy.Settings().LeastK) }

// Decide permits a question or refuses it; exactly one of the two results is nil.
// It depends on policy and question alone. Everything not granted is refused.
func (p *Policy) Decide(a *Ask) (*Decision, *Refusal) {
	if p == nil {
		p = &Policy{}
	}
	u := p.units[[2]string{a.Party, a.Scenario}]
	if u == nil {
		return nil, p.Refuse(p.whyNotUnit(a))
	}
	if rule := u.refused(a); rule != "" {
		return nil, p.Refuse(rule)
	}
	q := p.queries[queryKey{a.Scenario, kindOf(a.Act), a.Query}]
	if q == nil {
		return nil, p.Refuse(unregistered(a.Act))
	}
	if rule := q.refused(a, u.operator); rule != "" {
		return nil, p.Refuse(rule)
	}
	c, rule := p.consent(a, u, q)
	if rule != "" {
		return nil, p.Refuse(rule)
	}
	return p.permit(a, u, q, c), nil
}

func (p *Policy) permit(a *Ask, u *unitGrant, q *queryGrant, c *consentWindow) *Decision {
	d := &Decision{Policy: p, Party: u.party, Unit: u.unit, Scenario: u.scenario, Use: u.use, Operation: u.operation,
		Template: q.template, Table: q.table, Mask: q.mask, Dataset: q.dataset,
		Limits: Limits{u.unit.PerDay, u.attempts, q.attempts}}
	const day = 24 * 60 * 60
	end := min(a.At.Unix()+u.days*day, u.until)
	if c != nil {
		d.Consent, end = c.consent, min(end, c.until)
	}
	d.Expires = time.Unix(end, 0).UTC()
	return d
}

// whyNotUnit says why a party has no place in a scenario.
func (p *Policy) whyNotUnit(a *Ask) Rule {
	if p.index == nil || p.index.parties[a.Party] == nil {
		return UnknownParty
	}
	switch {
	case p.suspended(TargetParty, a.Party):
		return Suspended
	case !p.index.parties[a.Party].asks():
		return RoleNotAllowed
	case p.index.scenarios[a.Scenario] == nil:
		return ScenarioUnknown
	}
	return UnitNotInScenario
}

func unregistered(act Act) Rule {
	switch act {
	case ActTable:
		return TableUnregistered
	case ActMask:
		return MaskUnregistered
	}
	return TemplateUnregistered
}

// kindOf maps an act to what it names: a batch asks a template, as a verification does.
func kindOf(act Act) Act {
	if act == ActBatch {
		return ActVerify
	}
	return act
}

// unitGrant is a unit's place in a scenario, with what refuses it always.
type unitGrant struct {
	party          *Party
	unit           *Unit
	scenario       *Scenario
	use, operation *Agreement
	days, attempts int64 // of results, and on one subject in a day, as the settings cap them
	operator       bool  // an operator in development: masked tables only
	rule           Rule
	from, until    int64 // both agreements in force, Unix seconds
}

func (u *unitGrant) refused(a *Ask) Rule {
	now := a.At.Unix()
	switch {
	case u.rule != "":
		return u.rule
	case now < u.from:
		return AgreementNotYet
	case now >= u.until:
		return AgreementExpired
	}
	return ""
}

type queryKey struct {
	scenario string
	act      Act
	query    string
}

// queryGrant is a template, table or mask in a scenario, with what refuses it always.
type queryGrant struct {
	template     *Template
	table        *Table
	mask         *Mask
	dataset      *Dataset
	fields       []string // all that it reads
	attempts     bool
	rare         bool
	needsConsent bool
	rule         Rule
}

func (q *queryGrant) refused(a *Ask, operator bool) Rule {
	switch {
	case q.rule != "":
		return q.rule
	case operator && a.Act != ActMask:
		return RoleNotAllowed
	case a.Act == ActBatch && q.rare:
		return BatchNotAllowed
	}
	for _, name := range a.Fields {
		f := q.dataset.FieldNamed(name)
		switch {
		case f == nil:
			return FieldUnknown
		case !f.Graded():
			return FieldUngraded
		case !slices.Contains(q.fields, name):
			return ThresholdSupplied
		}
	}
	if a.Threshold {
		return ThresholdSupplied
	}
	return ""
}

type consentWindow struct {
	consent *Consent
	until   int64
}

// consent finds the consent a question needs or names. One that is named must
// hold, needed or not: it goes into the receipt.
func (p *Policy) consent(a *Ask, u *unitGrant, q *queryGrant) (*consentWindow, Rule) {
	if a.Consent == "" {
		if q.needsConsent {
			return nil, ConsentMissing
		}
		return nil, ""
	}
	w := p.consents[a.Consent]
	if w == nil {
		return nil, ConsentMissing
	}
	c := w.consent
	switch {
	case q.template == nil || c.Unit != u.unit.Party || c.Scenario != u.scenario.ID ||
		c.Identifier != q.dataset.Subject.Identifier || !slices.Contains(c.Templates, q.template.ID) ||
		!c.Subject.Equal(a.Subject):
		return nil, ConsentForeign
	case c.Revoked:
		return nil, ConsentRevoked
	case a.At.Unix() >= w.until:
		return nil, ConsentExpired
	}
	return w, ""
}
