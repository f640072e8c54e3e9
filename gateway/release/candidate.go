package release

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// ErrCandidate: the parts do not make a candidate. A fault of the caller, not of the asker.
var ErrCandidate = errors.New("release: malformed candidate")

// Facts are what the statement says of the way to a result.
type Facts struct {
	Ask      *governance.Ask
	Decision *governance.Decision
	// Technique that protected the result, with all its parameters.
	Technique receipt.Technique
	// Dataset version, as-of date and source department the result comes from.
	Dataset receipt.Dataset
	// Limit and name of the caller's own budget; before and after come from the hold.
	BudgetName  string
	BudgetLimit int64
	// Budget, if set, is shown instead: the caller's part of a dataset's privacy budget.
	Budget *receipt.Budget
	// Billable is what the caller is charged, in units.
	Billable uint32
}

// Row is the request side of one row: canonical JSON of what was asked.
type Row []byte

// Evidence is read by the rules and never leaves.
type Evidence struct {
	// Registered: the template or table passed registration on this domain.
	Registered bool
	// ShareExempt: consented or statutory class, where the share rule is off.
	ShareExempt bool
	Cells       []CellEvidence
	Private     *PrivateEvidence
	Masked      MaskedEvidence
	Encrypted   *EncryptedEvidence
}

// PrivateEvidence is how a private table was made: the budget it cost was durable before it was made.
type PrivateEvidence struct {
	Tau        int64
	Rho, Delta int64 // units of 1e-9 and 1e-12
	// Spent is the log index of the frame that spent it.
	Spent uint64
	// Least is the smallest noisy count among the shown cells.
	Least int64
}

// MaskedEvidence is what was measured on a masked table and what was registered for it.
type MaskedEvidence struct {
	K, LeastK                       int64
	SuppressedPermille, MaxPermille int64
	// OpenIdentifiers counts direct identifiers that would leave as they are.
	OpenIdentifiers int
	// SampleRate is the share of subjects taken, in units of 1e-9 rounded up; 0 where the table is no
	// sample. K and LeastK of a sample are of the population's classes.
	SampleRate int64
}

// Candidate is a result that wants to leave. It is immutable once prepared.
type Candidate struct {
	facts     Facts
	body      Body
	evidence  Evidence
	rows      []Row
	hold      *ledger.Hold
	canonical []byte
}

// Form of the result.
func (c *Candidate) Form() Form { return c.body.Form() }

// Facts of the way to the result; not to be changed.
func (c *Candidate) Facts() *Facts { return &c.facts }

// Body is the result; not to be changed.
func (c *Candidate) Body() Body { return c.body }

// Evidence for the rules; not to be changed.
func (c *Candidate) Evidence() *Evidence { return &c.evidence }

// Prepare seals a verification, masked-table or encrypted result. rows holds the request in canonical JSON,
// one element a row of the body; hold is the reservation that pays for it.
func Prepare(f Facts, body Body, ev Evidence, rows []Row, hold *ledger.Hold) (*Candidate, error) {
	switch b := body.(type) {
	case Batch:
		if len(rows) != len(b.Codes) || len(rows) == 0 {
			return nil, fmt.Errorf("%w: batch rows", ErrCandidate)
		}
	case Answer, Masked, Table, Encrypted:
		if len(rows) != 1 {
			return nil, fmt.Errorf("%w: one request row", ErrCandidate)
		}
	default:
		return nil, fmt.Errorf("%w: body", ErrCandidate)
	}
	if hold == nil || f.Ask == nil || f.Decision == nil {
		return nil, fmt.Errorf("%w: facts", ErrCandidate)
	}
	return &Candidate{facts: f, body: body, evidence: ev, rows: rows, hold: hold, canonical: body.appendCanonical(nil)}, nil
}

// PrepareTable suppresses what is small by the settings in force, and what the table's registered
// pattern, asked by a cell's keys, does not show, and seals the rest. A nil pattern: not registered.
func PrepareTable(f Facts, r *compute.Result, pattern func(keys []string) bool, row Row, hold *ledger.Hold) (*Candidate, error) {
	if f.Decision == nil {
		return nil, fmt.Errorf("%w: facts", ErrCandidate)
	}
	cells := suppressSmall(r, f.Decision.Policy.Settings().MinimumSubjects)
	for i := range cells {
		cells[i].Withheld = cells[i].Withheld || pattern == nil || !pattern(r.Cells[i].Keys)
	}
	ev := Evidence{Registered: pattern != nil, Cells: cells}
	return Prepare(f, tableBody(r, cells), ev, []Row{row}, hold)
}

// intact says that the body still renders to the bytes that were judged.
func (c *Candidate) intact() bool {
	if a, ok := c.body.(Answer); ok {
		var space [32]byte
		return bytes.Equal(c.canonical, a.appendCanonical(space[:0]))
	}
	return bytes.Equal(c.canonical, c.body.appendCanonical(nil))
}
