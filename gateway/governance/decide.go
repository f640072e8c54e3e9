package governance

import (
	"cmp"
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
	// ActAggregate asks for a registered encrypted aggregate.
	ActAggregate Act = "aggregate"
)

// Ask is one question, reduced to what a decision depends on.
type Ask struct {
	Party    string // authenticated
	Scenario string
	Act      Act
	Query    string // id of a template, table, mask or aggregate
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
	Aggregate *Aggregate
	Dataset   *Dataset  // of an aggregate: the first
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
	c := &claim{p: p, ask: a, now: a.At.Unix(), act: a.Act, u: u}
	if rule := cmp.Or(u.rule, judge(p.law.time, c)); rule != "" {
		return nil, p.Refuse(rule)
	}
	c.q = p.queries[queryKey{a.Scenario, kindOf(a.Act), a.Query}]
	if c.q == nil {
		return nil, p.Refuse(unregistered(a.Act))
	}
	if c.q.rule != "" {
		return nil, p.Refuse(c.q.rule)
	}
	if rule := judge(p.law.ask, c); rule != "" {
		return nil, p.Refuse(rule)
	}
	if rule := p.consent(c); rule != "" {
		return nil, p.Refuse(rule)
	}
	return p.permit(a, u, c.q, c.w), nil
}

func (p *Policy) permit(a *Ask, u *unitGrant, q *queryGrant, c *consentWindow) *Decision {
	d := &Decision{Policy: p, Party: u.party, Unit: u.unit, Scenario: u.scenario, Use: u.use, Operation: u.operation,
		Template: q.template, Table: q.table, Mask: q.mask, Aggregate: q.aggregate, Dataset: q.dataset,
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
	case ActAggregate:
		return AggregateUnregistered
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
	class          int   // of the built-in access policy: roles and kind of agreement
	rule           Rule
	from, until    int64 // both agreements in force, Unix seconds
}

type queryKey struct {
	scenario string
	act      Act
	query    string
}

// queryGrant is a template, table, mask or aggregate in a scenario, with what refuses it always.
type queryGrant struct {
	template     *Template
	table        *Table
	mask         *Mask
	aggregate    *Aggregate
	dataset      *Dataset
	fields       []string // all that it reads of dataset
	others       []source // an aggregate's other datasets
	attempts     bool
	rare         bool
	needsConsent bool
	rule         Rule
	granted      map[Act][]bool // by class of unit: the built-in access policy allows it
}

// source is a dataset with the fields read of it.
type source struct {
	dataset *Dataset
	fields  []string
}

type consentWindow struct {
	consent *Consent
	until   int64
}

// consent finds the consent a question names and judges it, or the lack of one.
func (p *Policy) consent(c *claim) Rule {
	if c.ask.Consent != "" {
		c.w = p.consents[c.ask.Consent]
	}
	if rule := judge(p.law.absent, c); rule != "" || c.w == nil {
		return rule
	}
	return judge(p.law.consent, c)
}
