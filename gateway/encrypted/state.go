package encrypted

import (
	"fmt"
	"slices"
)

// State is what the log says of encrypted aggregation. It is a function of the
// records alone, in their order. It is not safe for concurrent use.
type State struct {
	files     map[objectKey]Hash
	proposals map[Hash]*CeremonyFacts
	certs     map[Hash]*certificate
	manifests map[Hash]*ManifestFacts
	versions  map[[2]string]Hash
	queries   map[Hash]*query
	order     []Hash // of queries
	spent     map[Hash]uint64
	records   []placed
	threads   map[objectKey][]Hash // queries an object belongs to
}

type certificate struct {
	CeremonyFacts
	proposal Hash
}

// placed is a record with its entry of the log.
type placed struct {
	Record
	index uint64
}

func newState() *State {
	return &State{
		files: map[objectKey]Hash{}, proposals: map[Hash]*CeremonyFacts{}, certs: map[Hash]*certificate{},
		manifests: map[Hash]*ManifestFacts{}, versions: map[[2]string]Hash{}, queries: map[Hash]*query{}, spent: map[Hash]uint64{},
		threads: map[objectKey][]Hash{},
	}
}

// take adds the record of the frame at index. An error means that the log is not of this program.
func (s *State) take(r *Record, index uint64) error {
	if err := s.fold(r, index); err != nil {
		return fmt.Errorf("frame %d: %w", index, err)
	}
	if r.File != (Hash{}) {
		s.files[objectKey{r.Kind, r.Hash}] = r.File
	}
	s.records = append(s.records, placed{*r, index})
	if s.queries[r.Thread] != nil {
		s.belongs(objectKey{r.Kind, r.Hash}, r.Thread)
	}
	return nil
}

func (s *State) belongs(object objectKey, thread Hash) {
	if !slices.Contains(s.threads[object], thread) {
		s.threads[object] = append(s.threads[object], thread)
	}
}

func (s *State) fold(r *Record, index uint64) error {
	switch r.Kind {
	case Proposal, Certificate:
		return s.foldCeremony(r)
	case PublicKey:
		return nil
	case Manifest:
		if r.Manifest == nil {
			return ErrMalformed
		}
		s.manifests[r.Hash] = r.Manifest
		s.versions[[2]string{r.Manifest.Dataset, r.Manifest.Version}] = r.Hash
		return nil
	case Query:
		return s.foldQuery(r, index)
	}
	q := s.queries[r.Thread]
	if q == nil {
		return ErrMalformed
	}
	return q.fold(s, r)
}

func (s *State) foldCeremony(r *Record) error {
	switch {
	case r.Ceremony == nil:
		return ErrMalformed
	case r.Kind == Proposal:
		s.proposals[r.Hash] = r.Ceremony
	default:
		s.certs[r.Hash] = &certificate{*r.Ceremony, r.Thread}
	}
	return nil
}

func (s *State) foldQuery(r *Record, index uint64) error {
	if r.Query == nil {
		return ErrMalformed
	}
	s.queries[r.Hash] = &query{QueryFacts: *r.Query, hash: r.Hash, index: index,
		approvals: map[string]approval{}, objected: map[string]string{}, answers: map[string]Hash{}}
	s.order = append(s.order, r.Hash)
	for _, k := range r.Query.Keys {
		s.spent[k.Key] += uint64(k.Scalars)
	}
	s.files[objectKey{Plan, r.Query.Plan}] = r.Query.PlanFile
	s.belongs(objectKey{Plan, r.Query.Plan}, r.Hash)
	return nil
}

func (q *query) fold(s *State, r *Record) error {
	if r.Kind != Released && r.Word == nil {
		return ErrMalformed
	}
	switch r.Kind {
	case Openings:
		q.openings, q.computed = r.Hash, true
	case Approval:
		q.approvals[r.Party] = approval{r.Hash, r.Word.Sealing, r.Word.Expiry}
	case Objection:
		q.objected[r.Party] = r.Word.Rule
	case Answer:
		q.answers[r.Party] = r.Hash
	case Released:
		q.released, q.out = r.Release, true
	case Ended:
		q.end(s, r.Word.Rule)
	default:
		return ErrMalformed
	}
	return nil
}

// end gives back the scalars of a plan that nobody will open.
func (q *query) end(s *State, rule string) {
	if !q.open() {
		return
	}
	q.ended = rule
	for _, k := range q.Keys {
		s.spent[k.Key] -= uint64(k.Scalars)
	}
}

// events are what a record shows to pollers.
func (r *Record) events(index uint64) []Event {
	e := Event{Kind: r.Kind, Hash: r.Hash, Thread: r.Thread, Index: index}
	switch r.Kind {
	case Query:
		return []Event{e, {Kind: Plan, Hash: r.Query.Plan, Thread: r.Hash, Index: index}}
	case Released:
		e.Kind, e.Index, e.Released = Plan, r.Release, true
	case Ended:
		e.Kind, e.Hash = Query, r.Thread
	}
	return []Event{e}
}

// party of a query: those whom it concerns.
func (q *query) concerns(party string) bool {
	return party == q.Requester || q.holder(party) || slices.Contains(q.Providers, party)
}

// certHolds says that the party holds a part of one of the keys.
func (s *State) holds(party string, keys ...Hash) bool {
	return slices.ContainsFunc(keys, func(k Hash) bool {
		c := s.certs[k]
		return c != nil && slices.Contains(c.Holders, party)
	})
}
