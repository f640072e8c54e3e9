package governance

import (
	"encoding/hex"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Settings are the numbers of the data authority that bound what may leave. They
// are whole numbers in the units stated. A domain file may tighten any of them by
// itself; loosening one needs the signatures of an authority and of every provider.
type Settings struct {
	// Revision counts the settings of a domain: every loosening needs a higher one,
	// so that signatures under an earlier loosening serve once.
	Revision int64 `json:"revision"`
	// MinimumSubjects is the least number of distinct subjects in a shown cell of an
	// exact table, and in the rest without it.
	MinimumSubjects int64 `json:"minimum_subjects"`
	// SharePermille is the least share of the roster, in per mille, that every cell of
	// the common refinement of ordinary templates holds.
	SharePermille int64 `json:"share_permille"`
	// LeastK is the least k of masked tables, whatever they register.
	LeastK int64 `json:"k_min"`
	// ConsentPerYear bounds the answers of one unit under one consent in a year.
	ConsentPerYear int64 `json:"consent_per_year"`
	// ResultDaysMax caps the days for which a result may be used.
	ResultDaysMax int64 `json:"result_days_max"`
	// BatchMax caps the subjects of one batch.
	BatchMax int64 `json:"batch_max"`
	// AttemptsMax caps per_subject_day of units.
	AttemptsMax int64 `json:"attempts_max"`
	// TemplatesPerField caps the ordinary templates on one field.
	TemplatesPerField int64 `json:"templates_per_field"`
}

// DefaultSettings are in force where a domain file states nothing else.
func DefaultSettings() Settings {
	return Settings{MinimumSubjects: 10, SharePermille: 125, LeastK: 2, ConsentPerYear: 120, ResultDaysMax: 3650,
		BatchMax: 100_000, AttemptsMax: maxQuota, TemplatesPerField: 2}
}

// setting is one of the settings with its bounds and its tighter direction.
type setting struct {
	key       string
	of        func(*Settings) *int64
	low, high int64
	higher    bool // higher is tighter
}

func settingsTable() []setting {
	return []setting{
		{"revision", func(s *Settings) *int64 { return &s.Revision }, 0, maxQuota, true},
		{"minimum_subjects", func(s *Settings) *int64 { return &s.MinimumSubjects }, 2, 1_000_000, true},
		{"share_permille", func(s *Settings) *int64 { return &s.SharePermille }, 1, 500, true},
		{"k_min", func(s *Settings) *int64 { return &s.LeastK }, 2, 1_000_000, true},
		{"consent_per_year", func(s *Settings) *int64 { return &s.ConsentPerYear }, 1, 1_000_000, false},
		{"result_days_max", func(s *Settings) *int64 { return &s.ResultDaysMax }, 1, 3650, false},
		{"batch_max", func(s *Settings) *int64 { return &s.BatchMax }, 1, 100_000, false},
		{"attempts_max", func(s *Settings) *int64 { return &s.AttemptsMax }, 1, maxQuota, false},
		{"templates_per_field", func(s *Settings) *int64 { return &s.TemplatesPerField }, 1, 64, false},
	}
}

// looserThan lists the keys in which s is looser than before, in the order of the table.
func (s Settings) looserThan(before Settings) []string {
	var out []string
	for _, x := range settingsTable() {
		now, then := *x.of(&s), *x.of(&before)
		if x.higher && now < then || !x.higher && now > then {
			out = append(out, x.key)
		}
	}
	return out
}

// Within says that s is nowhere looser than other: what was made under s also holds under other.
func (s Settings) Within(other Settings) bool {
	return len(s.looserThan(other)) == 0
}

// settings reads the section; what it leaves out has its default.
func (l *loader) settings(n *yaml.Node, path string) Settings {
	s, table := DefaultSettings(), settingsTable()
	keys := make([]string, len(table))
	for i := range table {
		keys[i] = table[i].key
	}
	o := l.object(n, path, keys...)
	l.d.settingLines = make(map[string]int, len(table))
	for _, x := range table {
		if o.has(x.key) {
			*x.of(&s) = max(o.integer(x.key, x.low, x.high), x.low)
		}
		l.d.settingLines[x.key] = o.line(x.key)
	}
	return s
}

// Settings are those in force; in a nil or zero Policy the defaults.
func (p *Policy) Settings() Settings {
	if p.Domain() == nil {
		return DefaultSettings()
	}
	return p.domain.Settings
}

// terms are what a provider agreed to: the settings, and the policies that forbid more.
type terms struct {
	Settings Settings `json:"settings"`
	Policies string   `json:"policies,omitempty"`
}

func (d *Domain) terms() terms { return terms{d.Settings, d.Policies} }

// looserThan lists what is looser than before; a policy left out is.
func (t terms) looserThan(before terms) []string {
	out := t.Settings.looserThan(before.Settings)
	if !keepsPolicies(t.Policies, before.Policies) {
		out = append(out, "policies")
	}
	return out
}

// terms in force; in a nil or zero Policy the defaults.
func (p *Policy) terms() terms {
	if p.Domain() == nil {
		return terms{Settings: DefaultSettings()}
	}
	return p.domain.terms()
}

// SettingsDigest is SM3 over the canonical JSON of the settings and policies of the domain.
func (d *Domain) SettingsDigest() ([32]byte, error) {
	return digestOf(struct {
		Format string `json:"yumen_settings"`
		Domain string `json:"domain"`
		Terms  terms  `json:"terms"`
	}{"1", d.ID, d.terms()})
}

// settle refuses settings that are loosened without the signatures for it. Who
// has to sign is everyone to whom they are looser than what he last had: the
// authority against the policy before, a provider against the settings in force
// when it was last part of the domain, either against the defaults at first.
func (p *Policy) settle(prev *Policy, approvals []Approval) error {
	d, before := p.domain, prev.terms()
	loosened, signed := d.terms().looserThan(before), true
	if len(loosened) > 0 && (slices.Contains(loosened, "revision") || d.Settings.Revision <= before.Settings.Revision) {
		return d.loosened(append(loosened, "revision"))
	}
	if len(loosened) > 0 {
		signed = p.settingsByAuthority(approvals)
	}
	for i := range d.Parties {
		party := &d.Parties[i]
		if !party.HasRole(RoleProvider) {
			continue
		}
		had, known := p.settings[party.ID]
		if !known {
			had.Settings = DefaultSettings()
		}
		had.Settings.Revision = min(had.Settings.Revision, d.Settings.Revision)
		if keys := d.terms().looserThan(had); len(keys) > 0 && !p.settingsBy(keyRole{party.ID, AsProvider}, approvals) {
			loosened, signed = append(loosened, keys...), false
		}
	}
	if !signed {
		return d.loosened(loosened)
	}
	for i := range d.Parties {
		if d.Parties[i].HasRole(RoleProvider) {
			p.settings[d.Parties[i].ID] = d.terms()
		}
	}
	return nil
}

// agreed is what each provider last had, as a digest.
func (p *Policy) agreed() (map[string]string, error) {
	out, known := make(map[string]string, len(p.settings)), map[terms]string{}
	for id, t := range p.settings {
		if known[t] == "" {
			digest, err := digestOf(t)
			if err != nil {
				return nil, err
			}
			known[t] = hex.EncodeToString(digest[:])
		}
		out[id] = known[t]
	}
	return out, nil
}

func (p *Policy) settingsByAuthority(approvals []Approval) bool {
	return slices.ContainsFunc(p.domain.Parties, func(party Party) bool {
		return party.authority() && p.settingsBy(keyRole{party.ID, AsAuthority}, approvals)
	})
}

// settingsBy looks for a valid approval of the settings by k under its pinned key.
func (p *Policy) settingsBy(k keyRole, approvals []Approval) bool {
	digest, err := p.domain.SettingsDigest()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(approvals, func(a Approval) bool {
		return a.Object == ObjectSettings && a.ID == ObjectSettings && a.Party == k.party && a.Role == k.role &&
			a.verify(p.domain.ID, p.pins[k.party], digest)
	})
}

// loosened names the settings by line; line 0 where the file leaves them out.
func (d *Domain) loosened(keys []string) error {
	var out FileErrors
	for _, x := range settingsTable() {
		if slices.Contains(keys, x.key) {
			out = append(out, &FileError{Line: d.settingLines[x.key], Path: join("settings", x.key),
				Rule: SettingsLoosened, Refusal: d.Pack().Refuse(SettingsLoosened)})
		}
	}
	if slices.Contains(keys, "policies") {
		out = append(out, &FileError{Line: d.policyLine, Path: "policies", Rule: SettingsLoosened, Refusal: d.Pack().Refuse(SettingsLoosened)})
	}
	return out
}
