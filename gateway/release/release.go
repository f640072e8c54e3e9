package release

import (
	"errors"
	"fmt"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// ErrEmpty: a zero Release; it never passed a gate.
var ErrEmpty = errors.New("release: empty")

// Release is the only thing a transport may send. Only a gate makes one that opens.
type Release struct{ opened *Opened }

// Opened is what travels: the result with its receipt and what opens the receipt's commitments.
type Opened struct {
	Body     Body
	Serial   string
	Billable uint32
	AsOf     string
	Source   string
	Party    string
	// Receipt is the exact receipt file; Result the exact result file, for the requester alone.
	Receipt, Result []byte
	Index           uint64
	Replayed        bool
}

// Open returns what travels, or ErrEmpty for a Release no gate made.
func (r *Release) Open() (*Opened, error) {
	if r == nil || r.opened == nil {
		return nil, ErrEmpty
	}
	return r.opened, nil
}

func (g *Gate) release(c *Candidate, o *opening, s *stated, a *audit.Appended) (*Release, error) {
	parts, err := receipt.Build(s.Text(), s.Hash(), a.Entry, a.Index, a.Proof, a.Checkpoint.Text)
	if err != nil {
		return nil, fmt.Errorf("build receipt: %w", err)
	}
	file, err := parts.AppendUnder(nil, g.quote(a.Checkpoint))
	if err != nil {
		return nil, fmt.Errorf("build receipt: %w", err)
	}
	result, err := resultFile(c, o, s.id)
	if err != nil {
		return nil, fmt.Errorf("build result: %w", err)
	}
	return &Release{opened: &Opened{
		Body: c.body, Serial: s.serial, Billable: c.facts.Billable, AsOf: s.asOf, Source: s.source,
		Party: s.party, Receipt: file, Result: result, Index: a.Index,
	}}, nil
}

// quoted is the newest checkpoint as it stands in receipts; all of a group have the same.
type quoted struct {
	of *audit.Checkpoint
	*receipt.Quoted
}

func (g *Gate) quote(cp *audit.Checkpoint) *receipt.Quoted {
	if q := g.quoted.Load(); q != nil && q.of == cp {
		return q.Quoted
	}
	q := &quoted{cp, receipt.Quote(cp.Text)}
	g.quoted.Store(q)
	return q.Quoted
}

// resultFile opens the statement's commitments; it is for the requester alone.
func resultFile(c *Candidate, o *opening, id string) ([]byte, error) {
	batch, ok := c.body.(Batch)
	if !ok {
		return receipt.AppendResult(make([]byte, 0, 320+len(c.rows[0])+len(c.canonical)), id,
			&receipt.Opening{Nonce: o.requestNonce, Value: c.rows[0]},
			&receipt.Opening{Nonce: o.resultNonce, Value: c.canonical})
	}
	return receipt.AppendBatch(nil, id, &o.seed, batchRequest(len(c.rows)), func(yield func([]byte, []byte) bool) {
		var buf []byte
		for i, row := range c.rows {
			buf = Answer{Code: batch.Codes[i]}.appendCanonical(buf[:0])
			if !yield(row, buf) {
				return
			}
		}
	})
}
