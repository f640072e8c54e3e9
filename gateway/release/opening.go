package release

import (
	"fmt"
	"io"
	"strconv"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// opening is what opens the statement's two commitments: the requester alone holds it.
type opening struct {
	requestNonce, resultNonce receipt.Nonce // single results
	seed                      receipt.Seed  // batches
	id                        [16]byte      // of the statement
	request, result           audit.Hash
}

// open draws a fresh id and fresh nonces for c and commits to request and result.
func (g *Gate) open(c *Candidate) (*opening, error) {
	drawn := new([80]byte)
	if _, err := io.ReadFull(g.o.Rand, drawn[:]); err != nil {
		return nil, fmt.Errorf("draw nonces: %w", err)
	}
	o := &opening{id: [16]byte(drawn[64:])}
	if c.Form() == FormBatch {
		o.seed = receipt.Seed(drawn[:32])
	} else {
		o.requestNonce, o.resultNonce = receipt.Nonce(drawn[:32]), receipt.Nonce(drawn[32:64])
	}
	clear(drawn[:])
	o.commit(c)
	return o, nil
}

func (g *Gate) draw(n *receipt.Nonce) error {
	if _, err := io.ReadFull(g.o.Rand, n[:]); err != nil {
		return fmt.Errorf("draw nonce: %w", err)
	}
	return nil
}

func (o *opening) commit(c *Candidate) {
	batch, ok := c.body.(Batch)
	if !ok {
		o.request = receipt.Commit(receipt.TagRequest, &o.requestNonce, c.rows[0])
		o.result = receipt.Commit(receipt.TagResult, &o.resultNonce, c.canonical)
		return
	}
	nonce := o.seed.RequestNonce()
	o.request = receipt.Commit(receipt.TagRequest, &nonce, batchRequest(len(c.rows)))
	rows := receipt.NewRowCommitments(&o.seed, len(c.rows))
	var buf []byte
	for i, row := range c.rows {
		buf = Answer{Code: batch.Codes[i]}.appendCanonical(buf[:0])
		rows.Add(row, buf)
	}
	o.result = rows.Root()
}

// batchRequest is the canonical JSON of what a batch asks in common.
func batchRequest(rows int) []byte {
	return append(strconv.AppendInt([]byte(`{"count":`), int64(rows), 10), '}')
}

// The body of a release's private record:
//
//	form (1) | sealed
//
// sealed holds the nonces (or the seed) and the canonical result, with the statement hash as
// associated data. The statement itself is a part of the frame.

func (g *Gate) appendBody(dst []byte, c *Candidate, o *opening, statement *audit.Hash) ([]byte, error) {
	plain := make([]byte, 0, 64+len(c.canonical))
	if c.Form() == FormBatch {
		plain = append(plain, o.seed[:]...)
	} else {
		plain = append(append(plain, o.requestNonce[:]...), o.resultNonce[:]...)
	}
	plain = append(plain, c.canonical...)
	dst, err := g.o.Seal.Seal(append(dst, byte(c.Form())), statement[:], plain)
	if err != nil {
		return nil, fmt.Errorf("seal result: %w", err)
	}
	return dst, nil
}

// parseBody is the inverse of appendBody.
func (g *Gate) parseBody(b []byte, statement *audit.Hash) (form Form, o *opening, canonical []byte, err error) {
	if len(b) == 0 {
		return 0, nil, nil, fmt.Errorf("%w: stored result", ErrStored)
	}
	form = Form(b[0])
	plain, err := g.o.Seal.Open(nil, statement[:], b[1:])
	if err != nil {
		return 0, nil, nil, fmt.Errorf("%w: %w", ErrStored, err)
	}
	o = &opening{}
	head := 64
	if form == FormBatch {
		head = 32
	}
	if len(plain) < head {
		return 0, nil, nil, fmt.Errorf("%w: stored nonces", ErrStored)
	}
	if form == FormBatch {
		copy(o.seed[:], plain)
	} else {
		copy(o.requestNonce[:], plain)
		copy(o.resultNonce[:], plain[32:])
	}
	return form, o, plain[head:], nil
}
