package agent

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// Hash is an SM3 hash; as text it is hex.
type Hash [32]byte

// MarshalText writes hex.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads hex.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return ErrState
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// String is hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Stage is how far a ceremony or a query has come here.
type Stage string

// The stages.
const (
	Running  Stage = "running"  // ceremony
	Done     Stage = "done"     // ceremony
	Aborted  Stage = "aborted"  // ceremony
	Refused  Stage = "refused"  // ceremony or query: never to be looked at again
	Pending  Stage = "pending"  // query: not judged yet
	Waiting  Stage = "waiting"  // query: every check holds, a person decides
	Approved Stage = "approved" // query
	Answered Stage = "answered" // query
)

// book is all that an agent knows, in clear. It is sealed whenever it is written.
type book struct {
	// Counter grows with every writing.
	Counter uint64 `json:"counter"`
	// Cursor of the gateway's events, all of which up to it are in the book.
	Cursor uint64 `json:"cursor"`
	// Log up to which every entry was read; Seen tells a log that was never looked at.
	Log        encrypted.Frontier `json:"log"`
	Seen       bool               `json:"seen"`
	Checkpoint string             `json:"checkpoint,omitempty"`

	Ceremonies map[Hash]*ceremonyNote `json:"ceremonies,omitempty"`
	Keys       map[Hash]*keyNote      `json:"keys,omitempty"` // by certificate
	Queries    map[Hash]*queryNote    `json:"queries,omitempty"`
	// Entries of the log about encrypted aggregates, by statement, that nothing known
	// explains yet, with their index.
	Unexplained map[Hash]uint64 `json:"unexplained,omitempty"`
	// Explained are statements of events that were seen, and whether the log has them.
	Explained map[Hash]bool `json:"explained,omitempty"`
	// Older counts the words of this agent that the gateway held and the book did not:
	// more than none means that an old copy of the state was restored.
	Older int `json:"older,omitempty"`
	// HashKey keys the hashes of subjects while encrypting.
	HashKey []byte                 `json:"hash_key,omitempty"`
	Uploads map[string]*uploadNote `json:"uploads,omitempty"`
}

// ceremonyNote is a ceremony and what became of it.
type ceremonyNote struct {
	Proposal []byte `json:"proposal"` // signed, canonical
	Stage    Stage  `json:"stage"`
	Rule     string `json:"rule,omitempty"`
	Cert     Hash   `json:"cert"`
}

// keyNote is a certificate with this holder's share of the key set.
type keyNote struct {
	Cert  []byte `json:"cert"`            // canonical
	Share []byte `json:"share,omitempty"` // canonical, in clear; none: a provider's
	Cap   []byte `json:"cap,omitempty"`
	// Told: certificate and public keys are with the gateway.
	Told bool `json:"told,omitempty"`
}

// queryNote is a query and what became of it.
type queryNote struct {
	Plan      Hash   `json:"plan"`
	Openings  Hash   `json:"openings"`
	Computed  bool   `json:"computed,omitempty"` // the gateway gave openings
	Stage     Stage  `json:"stage"`
	Rule      string `json:"rule,omitempty"`
	Released  bool   `json:"released,omitempty"`
	Opened    bool   `json:"opened,omitempty"` // counts as an earlier plan
	Time      int64  `json:"time,omitempty"`
	Own       Hash   `json:"own"` // openings as computed here
	Approval  []byte `json:"approval,omitempty"`
	Objection []byte `json:"objection,omitempty"`
	Answer    []byte `json:"answer,omitempty"`
	Told      told   `json:"told"`
}

// told says which words are with the gateway.
type told struct {
	Approval  bool `json:"approval,omitempty"`
	Objection bool `json:"objection,omitempty"`
	Answer    bool `json:"answer,omitempty"`
}

// uploadNote binds a dataset version to one reading of its source.
type uploadNote struct {
	Fingerprint string `json:"fingerprint"`
	Manifest    []byte `json:"manifest,omitempty"`
}

func newBook() *book {
	b := &book{}
	b.complete()
	return b
}

func (b *book) complete() {
	if b.Ceremonies == nil {
		b.Ceremonies = map[Hash]*ceremonyNote{}
	}
	if b.Keys == nil {
		b.Keys = map[Hash]*keyNote{}
	}
	if b.Queries == nil {
		b.Queries = map[Hash]*queryNote{}
	}
	if b.Unexplained == nil {
		b.Unexplained = map[Hash]uint64{}
	}
	if b.Explained == nil {
		b.Explained = map[Hash]bool{}
	}
	if b.Uploads == nil {
		b.Uploads = map[string]*uploadNote{}
	}
}

const bookName = "book"

func (b *book) save(s *Store) error {
	b.Counter++
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("save book: %w", err)
	}
	defer clear(text)
	return s.save(bookName, text)
}

func loadBook(s *Store) (*book, error) {
	text, err := s.load(bookName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoState
	}
	if err != nil {
		return nil, err
	}
	return parseBook(text)
}

func parseBook(text []byte) (*book, error) {
	defer clear(text)
	b := &book{}
	if json.Unmarshal(text, b) != nil || !b.Log.Valid() {
		return nil, fmt.Errorf("read book: %w", ErrState)
	}
	b.complete()
	return b, nil
}
