package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
)

// Status is what may be shown of the state. It holds no secret.
type Status struct {
	Party      string           `json:"party"`
	Counter    uint64           `json:"counter"`
	LogSize    uint64           `json:"log_size"`
	Older      int              `json:"older_copies_found"`
	Unknown    int              `json:"unexplained_entries"`
	Ceremonies []CeremonyStatus `json:"ceremonies,omitempty"`
	Keys       []KeyStatus      `json:"keys,omitempty"`
	Queries    []QueryStatus    `json:"queries,omitempty"`
}

// CeremonyStatus is one ceremony.
type CeremonyStatus struct {
	ID    Hash   `json:"id"`
	Stage Stage  `json:"stage"`
	Rule  string `json:"rule,omitempty"`
	Cert  Hash   `json:"certificate"`
}

// KeyStatus is one key set.
type KeyStatus struct {
	Cert     Hash     `json:"certificate"`
	Datasets []string `json:"datasets"`
	Holder   bool     `json:"holder"`
	Left     uint64   `json:"scalars_left"`
}

// QueryStatus is one query.
type QueryStatus struct {
	ID       Hash   `json:"id"`
	Stage    Stage  `json:"stage"`
	Rule     string `json:"rule,omitempty"`
	Released bool   `json:"released"`
	Time     int64  `json:"time,omitempty"`
}

// ReadStatus reads the state without taking it, so that it can be shown while the
// agent serves.
func ReadStatus(dir string, id *Identity) (*Status, error) {
	text, err := loadSealed(filepath.Join(dir, bookName+".sealed"), bookName, id.sealer)
	if err != nil {
		return nil, err
	}
	b, err := parseBook(text)
	if err != nil {
		return nil, err
	}
	return b.status(id.Party), nil
}

// Status of the agent.
func (a *Agent) Status() *Status { return a.book.status(a.o.Identity.Party) }

func (b *book) status(party string) *Status {
	s := &Status{Party: party, Counter: b.Counter, LogSize: b.Log.Size, Older: b.Older, Unknown: len(b.Unexplained)}
	for id, c := range b.Ceremonies {
		s.Ceremonies = append(s.Ceremonies, CeremonyStatus{id, c.Stage, c.Rule, c.Cert})
	}
	for id, k := range b.Keys {
		one := KeyStatus{Cert: id, Holder: k.Share != nil}
		if c, err := ceremony.ParseKeyCert(k.Cert); err == nil {
			one.Datasets = c.Datasets
		}
		if limit, err := threshold.ParseCap(k.Cap); err == nil {
			one.Left = limit.Left()
		}
		s.Keys = append(s.Keys, one)
	}
	for id, q := range b.Queries {
		s.Queries = append(s.Queries, QueryStatus{id, q.Stage, q.Rule, q.Released, q.Time})
	}
	byHash := func(x, y Hash) int { return slices.Compare(x[:], y[:]) }
	slices.SortFunc(s.Ceremonies, func(x, y CeremonyStatus) int { return byHash(x.ID, y.ID) })
	slices.SortFunc(s.Keys, func(x, y KeyStatus) int { return byHash(x.Cert, y.Cert) })
	slices.SortFunc(s.Queries, func(x, y QueryStatus) int { return byHash(x.ID, y.ID) })
	return s
}

// Question is a plan as it is shown to the person who decides.
type Question struct {
	ID      Hash
	Rule    string // why a person has to decide
	Words   string
	Minimum uint64 // distinct subjects in the smallest part
	Scalars int
	Parts   []plan.Part
	// Earlier are plans of the same datasets that were opened, in words.
	Earlier []string
	// Unexplained are entries of the log that no known object explains.
	Unexplained int
}

// Questions are the plans that wait for a person. Every check holds for them.
func (a *Agent) Questions(ctx context.Context, lang string) ([]Question, error) {
	var list []Question
	for hash, note := range a.book.Queries {
		if note.Stage != Waiting {
			continue
		}
		q, err := a.query(ctx, hash)
		if err != nil {
			return nil, err
		}
		p, err := a.plan(ctx, note.Plan)
		if err != nil {
			return nil, err
		}
		one := Question{ID: hash, Rule: note.Rule, Words: q.Words(lang), Minimum: p.Minimum, Scalars: p.Opens(), Parts: p.Parts, Unexplained: len(a.book.Unexplained)}
		for other, o := range a.book.Queries {
			if other == hash || !o.Released {
				continue
			}
			before, err := a.query(ctx, other)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(before.Datasets, func(r plan.Ref) bool {
				return slices.ContainsFunc(q.Datasets, func(n plan.Ref) bool { return n.Dataset == r.Dataset })
			}) {
				one.Earlier = append(one.Earlier, before.Words(lang))
			}
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(x, y Question) int { return slices.Compare(x.ID[:], y.ID[:]) })
	return list, nil
}

// Decide writes down what a person decided on a waiting plan.
func (a *Agent) Decide(id Hash, approve bool) error {
	q := a.book.Queries[id]
	if q == nil || q.Stage != Waiting {
		return fmt.Errorf("agent: no plan of this name waits")
	}
	word := no
	if approve {
		word = yes
	}
	return a.store.save(decisionName(id), []byte(decisionText(word, q)))
}
