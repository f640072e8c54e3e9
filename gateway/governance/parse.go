package governance

import (
	"github.com/yumen-project/yumen/gateway/keyring"
	"go.yaml.in/yaml/v3"
)

// loader reads a domain file: first every object by itself, then what they say of each other.
type loader struct {
	reader
	d Domain
	// the mapping behind each object, for lines
	parties, datasets, templates, tables, masks, keySets, aggregates, agreements, scenarios, consents []*object
}

// ParseDomain reads and checks a domain file of at most 4 MiB. The error is a
// FileErrors with every problem found, at most 50. Missing plans and approvals
// are no problem of the file: see Policy.Inactive.
func ParseDomain(file []byte) (*Domain, error) {
	l := &loader{reader: reader{pack: noPack()}}
	root := l.document(file)
	if root == nil {
		return nil, l.err()
	}
	l.load(root)
	l.check()
	if err := l.err(); err != nil {
		return nil, err
	}
	if text, err := l.d.Canonical(); err != nil || len(text) > maxFile {
		l.report(root, "", Malformed)
		return nil, l.err()
	}
	return &l.d, nil
}

func (l *loader) load(root *yaml.Node) {
	o := l.object(root, "", "yumen", "domain", "jurisdiction", "parties", "datasets", "templates",
		"tables", "masks", "key_sets", "aggregates", "agreements", "scenarios", "consents", "settings", "policies")
	d := &l.d
	d.Jurisdiction = o.enum("jurisdiction", Jurisdictions()...)
	if d.Jurisdiction != "" {
		l.usePack(o)
	}
	d.Format = int(o.integer("yumen", 1, 1))
	d.ID = o.id("domain")
	d.Settings = DefaultSettings()
	if n := o.nodes["settings"]; n != nil {
		d.Settings = l.settings(n, "settings")
	}
	if n := o.nodes["policies"]; n != nil {
		d.Policies = l.policies(n)
	}
	d.Parties = each(o, "parties", maxObjects, l.party)
	d.Datasets = each(o, "datasets", maxObjects, l.dataset)
	d.Templates = each(o, "templates", maxObjects, l.template)
	d.Tables = each(o, "tables", maxObjects, l.table)
	d.Masks = each(o, "masks", maxObjects, l.mask)
	d.KeySets = each(o, "key_sets", maxObjects, l.keySet)
	d.Aggregates = each(o, "aggregates", maxObjects, l.aggregate)
	d.Agreements = each(o, "agreements", maxObjects, l.agreement)
	d.Scenarios = each(o, "scenarios", maxScenarios, l.scenario)
	d.Consents = each(o, "consents", maxConsents, l.consent)
}

// usePack takes the articles of the jurisdiction, also for what was reported before it was known.
func (l *loader) usePack(o *object) {
	p, err := LoadPack(l.d.Jurisdiction)
	if err != nil {
		o.report("jurisdiction", Malformed)
		return
	}
	l.pack, l.d.pack = p, p
	for _, e := range l.problems {
		e.Refusal = p.Refuse(e.Rule)
	}
}

func (l *loader) party(n *yaml.Node, path string) Party {
	o := l.object(n, path, "id", "name", "roles", "key", "agent_key", "envelope_key", "request_key")
	l.parties = append(l.parties, o)
	p := Party{ID: o.id("id"), Name: o.text("name", maxName), Roles: o.listRequired("roles"), line: o.node.Line}
	for i, role := range p.Roles {
		switch role {
		case RoleDataAuthority, RoleImplementingBody, RoleExchange, RoleProvider, RoleOperator,
			RoleApplicationUnit, RoleServiceVendor, RoleRegulator:
		default:
			c, at := o.nodeAt("roles", i)
			l.report(c, at, Malformed)
		}
	}
	p.Key, p.AgentKey, p.EnvelopeKey, p.RequestKey = o.publicKey("key"), o.publicKey("agent_key"), o.publicKey("envelope_key"), o.publicKey("request_key")
	return p
}

// publicKey reads an SM2 public key, or "" where there is none.
func (o *object) publicKey(key string) string {
	text := o.textOr(key, maxName)
	if text == "" {
		return ""
	}
	k, err := keyring.ParsePublicKey(text)
	if err != nil {
		o.report(key, Malformed)
		return ""
	}
	return k.String()
}

func (l *loader) agreement(n *yaml.Node, path string) Agreement {
	o := l.object(n, path, "id", "kind", "parties", "from", "until", "terms_digest")
	l.agreements = append(l.agreements, o)
	a := Agreement{
		ID: o.id("id"), Kind: o.enum("kind", "operation", "use"), Parties: o.listRequired("parties"),
		From: o.date("from"), Until: o.date("until"), TermsDigest: o.digest("terms_digest", 32), line: o.line("until"),
	}
	if a.From.IsZero() || a.Until.IsZero() {
		return a
	}
	if a.Until.Before(a.From) {
		o.report("until", Malformed)
	} else if l.d.pack != nil && a.From.addYears(l.d.pack.TermYears).Before(a.Until) {
		o.report("until", TermCap)
	}
	if len(a.Parties) < 2 {
		o.report("parties", Malformed)
	}
	return a
}

func (l *loader) scenario(n *yaml.Node, path string) Scenario {
	o := l.object(n, path, "id", "name", "purpose", "operation", "plan", "providers", "authority", "units",
		"templates", "tables", "masks", "aggregates", "consent", "allowed_use", "result_days")
	l.scenarios = append(l.scenarios, o)
	s := Scenario{
		ID: o.id("id"), Name: o.text("name", maxName), Purpose: o.text("purpose", maxText),
		Operation: o.id("operation"), Providers: o.list("providers"), Authority: o.id("authority"),
		Units: each(o, "units", maxObjects, l.unit), Templates: o.list("templates"), Tables: o.list("tables"), Masks: o.list("masks"),
		Aggregates: o.list("aggregates"),
		Consent:    o.enum("consent", "required", "not_required"), AllowedUse: o.text("allowed_use", maxText),
		ResultDays: int(o.integer("result_days", 1, 3650)), line: o.node.Line, planLine: o.line("plan"),
	}
	if plan := o.textOr("plan", maxName); plan != "" {
		s.Plan = o.digest("plan", 32)
	}
	return s
}

// defaultAttempts caps identity-match attempts for one subject where the file states no cap.
const defaultAttempts = 10

// maxQuota bounds every quota.
const maxQuota = 1_000_000_000

func (l *loader) unit(n *yaml.Node, path string) Unit {
	o := l.object(n, path, "party", "agreement", "per_day", "per_subject_day")
	return Unit{Party: o.id("party"), Agreement: o.id("agreement"), PerDay: o.integer("per_day", 1, maxQuota),
		PerSubjectDay: o.integerOr("per_subject_day", defaultAttempts, 1, maxQuota)}
}
