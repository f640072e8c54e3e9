package encrypted

import "slices"

// Record is what a frame of the log says of one accepted object: enough to make
// the state again without its bytes.
type Record struct {
	Kind Kind `json:"kind"`
	Hash Hash `json:"hash"`
	// File is SM3 of the stored bytes; zero where nothing is stored.
	File Hash `json:"file"`
	// Party that handed it in.
	Party  string `json:"party,omitempty"`
	Thread Hash   `json:"thread"`

	Ceremony *CeremonyFacts `json:"ceremony,omitempty"` // proposal, certificate
	Manifest *ManifestFacts `json:"manifest,omitempty"`
	Query    *QueryFacts    `json:"query,omitempty"`
	Word     *WordFacts     `json:"word,omitempty"` // approval, answer, objection, ended
	// Release is the entry that released the plan.
	Release uint64 `json:"release,omitempty"`
}

// CeremonyFacts are who makes, or made, a key set.
type CeremonyFacts struct {
	Authority  string   `json:"authority"`
	Datasets   []string `json:"datasets"`
	Providers  []string `json:"providers"`
	Holders    []string `json:"holders"`
	Threshold  int      `json:"threshold"`
	Parameters Hash     `json:"parameters"`
	Product    bool     `json:"product,omitempty"`
	Expiry     int64    `json:"expiry"`
	Cap        uint64   `json:"cap"`
	// Public and Relin are the hashes of a certificate's keys.
	Public Hash `json:"public"`
	Relin  Hash `json:"relin"`
	// Transcript of the ceremony, as certified.
	Transcript Hash `json:"transcript"`
}

// ManifestFacts are which lanes of which version lie under which keys.
type ManifestFacts struct {
	Dataset  string      `json:"dataset"`
	Version  string      `json:"version"`
	Provider string      `json:"provider"`
	Lanes    []LaneFacts `json:"lanes"`
	// Earlier are the versions it is compared with.
	Earlier []Hash `json:"earlier,omitempty"`
}

// LaneFacts name a lane, its key and the number of its leaves.
type LaneFacts struct {
	Name   string `json:"name"`
	Key    Hash   `json:"key"`
	Leaves uint32 `json:"leaves"`
}

// QueryFacts are a query and its plan.
type QueryFacts struct {
	Requester  string        `json:"requester"`
	Scenario   string        `json:"scenario"`
	Aggregate  string        `json:"aggregate"`
	Plan       Hash          `json:"plan"`
	PlanFile   Hash          `json:"plan_file"`
	Parameters Hash          `json:"parameters"`
	Manifests  []Hash        `json:"manifests"`
	Providers  []string      `json:"providers"`
	Holders    []string      `json:"holders"`
	Threshold  int           `json:"threshold"`
	Keys       []KeyFacts    `json:"keys"`
	Opened     []OpenedFacts `json:"opened"`
	Minimum    uint64        `json:"minimum"`
	Scalars    int           `json:"scalars"`
	Accepted   int64         `json:"accepted"` // Unix milliseconds
	Expiry     int64         `json:"expiry"`   // Unix seconds
}

// KeyFacts are the scalars charged to one key.
type KeyFacts struct {
	Key     Hash   `json:"key"`
	Scalars uint32 `json:"scalars"`
}

// OpenedFacts are the lanes that a plan reads of one manifest.
type OpenedFacts struct {
	Manifest Hash     `json:"manifest"`
	Lanes    []string `json:"lanes"`
}

// WordFacts are what a holder, or the gateway, said of a query.
type WordFacts struct {
	Openings Hash   `json:"openings"`
	Sealing  Hash   `json:"sealing"`
	Expiry   int64  `json:"expiry,omitempty"`
	Rule     string `json:"rule,omitempty"`
}

// objectKey names an object.
type objectKey struct {
	kind Kind
	hash Hash
}

// query is a query and what became of it.
type query struct {
	QueryFacts
	hash      Hash
	index     uint64
	openings  Hash
	computed  bool
	approvals map[string]approval
	objected  map[string]string
	answers   map[string]Hash
	released  uint64
	out       bool // released
	ended     string
}

type approval struct {
	hash, sealing Hash
	expiry        int64
}

// open says that the query may still come to a release.
func (q *query) open() bool { return !q.out && q.ended == "" }

// approved lists the holders whose approvals hold at now, Unix seconds, in the plan's order.
func (q *query) approved(now int64) []string {
	var out []string
	for _, h := range q.Holders {
		if a, ok := q.approvals[h]; ok && a.expiry > now {
			out = append(out, h)
		}
	}
	return out
}

func (q *query) holder(party string) bool { return slices.Contains(q.Holders, party) }
