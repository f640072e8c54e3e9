package encrypted

import "slices"

// viewer is a party as far as sight depends on it.
type viewer struct {
	party     string
	authority bool
}

// sees says whether an object concerns the viewer. A requester sees what its query
// brings only once it has been released: a plan tells signed counts.
func (s *State) sees(v viewer, k Kind, hash, thread Hash) bool {
	switch k {
	case Proposal:
		return s.seesCeremony(v, s.proposals[hash])
	case Certificate:
		c := s.certs[hash]
		return c != nil && (s.seesCeremony(v, &c.CeremonyFacts) || s.asksUnder(v.party, hash))
	case PublicKey:
		for key, c := range s.certs {
			if c.Public == hash && (s.seesCeremony(v, &c.CeremonyFacts) || s.asksUnder(v.party, key)) {
				return true
			}
		}
		return false
	case Manifest:
		m := s.manifests[hash]
		return m != nil && (v.authority || v.party == m.Provider || s.holds(v.party, m.keys()...))
	}
	return s.seesQuery(v, k, s.queries[thread])
}

func (s *State) seesCeremony(v viewer, c *CeremonyFacts) bool {
	return c != nil && (v.authority || v.party == c.Authority || slices.Contains(c.Holders, v.party) || slices.Contains(c.Providers, v.party))
}

// asksUnder says that a released query of the party lies under the key.
func (s *State) asksUnder(party string, key Hash) bool {
	for _, q := range s.queries {
		if q.out && q.Requester == party && slices.ContainsFunc(q.Keys, func(k KeyFacts) bool { return k.Key == key }) {
			return true
		}
	}
	return false
}

func (s *State) seesQuery(v viewer, k Kind, q *query) bool {
	if q == nil {
		return false
	}
	requester := v.party == q.Requester
	switch k {
	case Query:
		return v.authority || q.concerns(v.party)
	case Plan:
		return v.authority || q.holder(v.party) || slices.Contains(q.Providers, v.party) || requester && q.out
	case Approval, Objection:
		return v.authority || q.holder(v.party) || requester
	case Openings:
		return q.holder(v.party) || requester && q.out
	case Answer:
		return requester && q.out
	}
	return false
}

// seesAny is sees for an object of which only kind and hash are known. The same
// openings may belong to several queries.
func (s *State) seesAny(v viewer, k Kind, hash Hash) bool {
	threads := s.threads[objectKey{k, hash}]
	if len(threads) == 0 {
		return s.sees(v, k, hash, Hash{})
	}
	return slices.ContainsFunc(threads, func(t Hash) bool { return s.sees(v, k, hash, t) })
}

func (m *ManifestFacts) keys() []Hash {
	var out []Hash
	for _, l := range m.Lanes {
		if !slices.Contains(out, l.Key) {
			out = append(out, l.Key)
		}
	}
	return out
}
