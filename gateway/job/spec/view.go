package spec

import "context"

// JobView is what its owner sees of a job. Rows of the output never cross this type.
type JobView struct {
	ID, Scenario, Mask string
	State              State
	Rule               string // rule that refused it
	Problem            string // one sentence without values
	Output             string
	// Rows of the output; of a job at work the records of the register worked through, where each of the
	// two passes counts half.
	Rows        int64
	SubmittedMS int64
	EndedMS     int64
}

// Applied says what a change of the domain became.
type Applied struct {
	PolicyHash string
	Epoch      uint64
	Entry      uint64
	Findings   []Registered
	// Inactive says, line by line, what keeps scenarios from operating.
	Inactive []string
}

// Registered is the outcome of registration for the templates, or the exact tables, of one dataset. OK
// with a rule is a warning; then Templates names a column.
type Registered struct {
	Dataset, Version string
	Templates        []string
	OK               bool
	Rule             string // rule that refused them
}

// Catalogue is the metadata a party may browse; it holds no row.
type Catalogue struct {
	Datasets []CatalogueDataset
	Items    []CatalogueItem
}

// CatalogueDataset describes one dataset.
type CatalogueDataset struct {
	ID, Name, Provider, Version, AsOf string
	Fields                            []CatalogueField
	Stale                             bool
}

// CatalogueField is one line of the data dictionary.
type CatalogueField struct{ Name, Type, Class, Grade string }

// CatalogueItem is a registered template, table or mask and where it may be asked.
type CatalogueItem struct {
	ID, Kind, Dataset string
	Scenarios         []string
}

type partyKey struct{}

// WithParty marks ctx as coming from an authenticated party.
func WithParty(ctx context.Context, party string) context.Context {
	return context.WithValue(ctx, partyKey{}, party)
}

// PartyOf returns the authenticated party, or false.
func PartyOf(ctx context.Context) (string, bool) {
	p, ok := ctx.Value(partyKey{}).(string)
	return p, ok && p != ""
}
