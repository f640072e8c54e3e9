package governance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/gateway/receipt"
)

// Canonical is the domain in canonical JSON (RFC 8785), which ParseDomain reads
// back into an equal Domain. It holds the subjects of consents: it belongs into
// sealed private records, and a digest of it must be hidden by a nonce.
func (d *Domain) Canonical() ([]byte, error) {
	type clear struct {
		Consent
		Subject string `json:"subject"`
	}
	open := struct {
		Domain
		Consents []clear `json:"consents"`
	}{Domain: *d, Consents: make([]clear, len(d.Consents))}
	for i, c := range d.Consents {
		open.Consents[i] = clear{c, c.Subject.canonical}
	}
	return canonical(open)
}

// canonical marshals v and brings it into canonical form.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("governance: marshal: %w", err)
	}
	out, err := receipt.Canonicalize(text)
	if err != nil {
		return nil, fmt.Errorf("governance: canonical form: %w", err)
	}
	return out, nil
}

func digestOf(v any) ([32]byte, error) {
	text, err := canonical(v)
	if err != nil {
		return [32]byte{}, err
	}
	return sm3.Sum(text), nil
}

// signedDataset is what an approval fixes of a dataset: not its version, its date or where it lies.
type signedDataset struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Provider    string  `json:"provider"`
	PrivacyUnit string  `json:"privacy_unit"`
	Subject     Subject `json:"subject"`
	Roster      string  `json:"roster"`
	Withhold    string  `json:"withhold"`
	Sharing     string  `json:"sharing"`
	Fields      []Field `json:"fields"`
	// Budget counts: a loosened one needs the signatures of authority and providers anew.
	Budget *PrivacyBudget `json:"privacy_budget,omitempty"`
}

// signedScenario is a scenario with everything it refers to.
type signedScenario struct {
	Format       string          `json:"yumen_scenario"`
	Domain       string          `json:"domain"`
	Jurisdiction string          `json:"jurisdiction"`
	Scenario     Scenario        `json:"scenario"`
	Parties      []Party         `json:"parties"`
	Agreements   []Agreement     `json:"agreements"`
	Datasets     []signedDataset `json:"datasets"`
	Templates    []Template      `json:"templates"`
	Tables       []Table         `json:"tables"`
	Masks        []Mask          `json:"masks"`
	KeySets      []KeySet        `json:"key_sets,omitempty"`
	Aggregates   []Aggregate     `json:"aggregates,omitempty"`
}

// ScenarioDigest is SM3 over the canonical JSON of the scenario with everything it
// refers to: parties with names, roles and keys, agreements, datasets, templates,
// tables and masks, in the order of the domain file. It does not cover a dataset's
// version, date and source, which move on, nor consents, which come and go.
func (d *Domain) ScenarioDigest(id string) ([32]byte, error) {
	for i := range d.Scenarios {
		if d.Scenarios[i].ID == id {
			return digestOf(d.signed(&d.Scenarios[i]))
		}
	}
	return [32]byte{}, fmt.Errorf("scenario digest: no such scenario")
}

func (d *Domain) signed(s *Scenario) *signedScenario {
	out := &signedScenario{Format: "1", Domain: d.ID, Jurisdiction: d.Jurisdiction, Scenario: *s}
	agreements, parties, datasets := set(s.Operation), set(s.Authority), set()
	for _, u := range s.Units {
		agreements[u.Agreement], parties[u.Party] = true, true
	}
	for _, p := range s.Providers {
		parties[p] = true
	}
	for _, a := range d.Agreements {
		if agreements[a.ID] {
			out.Agreements = append(out.Agreements, a)
			for _, p := range a.Parties {
				parties[p] = true
			}
		}
	}
	out.Templates = chosen(d.Templates, s.Templates, datasets, func(t *Template) (string, string) { return t.ID, t.Dataset })
	out.Tables = chosen(d.Tables, s.Tables, datasets, func(t *Table) (string, string) { return t.ID, t.Dataset })
	out.Masks = chosen(d.Masks, s.Masks, datasets, func(m *Mask) (string, string) { return m.ID, m.Dataset })
	d.signAggregates(s, out, datasets, parties)
	for _, p := range d.Parties {
		if parties[p.ID] {
			out.Parties = append(out.Parties, p)
		}
	}
	out.Datasets = d.signedDatasets(datasets)
	return out
}

// signAggregates takes the aggregates of the scenario, with those who hold the keys of their data.
func (d *Domain) signAggregates(s *Scenario, out *signedScenario, datasets, parties map[string]bool) {
	want, read := set(s.Aggregates...), map[string]bool{}
	for _, a := range d.Aggregates {
		if want[a.ID] {
			out.Aggregates = append(out.Aggregates, a)
			for _, c := range a.Columns {
				datasets[c.Dataset], read[c.Dataset] = true, true
			}
		}
	}
	for _, k := range d.KeySetsOf(slices.Collect(maps.Keys(read))...) {
		out.KeySets = append(out.KeySets, *k)
		for _, p := range k.Holders {
			parties[p] = true
		}
	}
}

// signedDatasets takes the datasets named and their rosters.
func (d *Domain) signedDatasets(ids map[string]bool) []signedDataset {
	all := union(ids)
	for i := range d.Datasets {
		if x := &d.Datasets[i]; ids[x.ID] && x.Roster != "" {
			all[x.Roster] = true
		}
	}
	var out []signedDataset
	for i := range d.Datasets {
		if x := &d.Datasets[i]; all[x.ID] {
			out = append(out, signedDataset{x.ID, x.Name, x.Provider, x.PrivacyUnit, x.Subject, x.Roster, x.Withhold, x.Sharing, x.Fields, x.Budget})
		}
	}
	return out
}

func set(ids ...string) map[string]bool { return union(nil, ids...) }

func union(a map[string]bool, ids ...string) map[string]bool {
	out := make(map[string]bool, len(a)+len(ids))
	for id := range a {
		out[id] = true
	}
	for _, id := range ids {
		out[id] = true
	}
	return out
}

// chosen keeps the objects whose id is wanted and notes their datasets.
func chosen[T any](list []T, ids []string, datasets map[string]bool, of func(*T) (id, dataset string)) []T {
	want := set(ids...)
	var out []T
	for i := range list {
		if id, dataset := of(&list[i]); want[id] {
			out = append(out, list[i])
			datasets[dataset] = true
		}
	}
	return out
}
