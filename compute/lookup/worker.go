package lookup

import (
	"errors"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/masking/identifier"
)

var errNull = errors.New("rule null")

// worker evaluates chunks for one goroutine.
type worker struct {
	in       *intake
	cols     columns
	out      *partition
	hash     *hasher
	outcomes []uint64
	raw      []byte
	canon    []byte
}

func newWorker(in *intake, cols columns, out *partition) *worker {
	return &worker{
		in: in, cols: cols, out: out,
		hash:     newHasher(in.o.Keys, in.o.Dataset, in.p),
		outcomes: make([]uint64, chunkRows),
	}
}

// run drains chunks, also after a failure, so that the feeder never blocks.
func (w *worker) run(chunks <-chan chunk) {
	for c := range chunks {
		w.take(c)
	}
}

func (w *worker) take(c chunk) {
	if !w.in.failed() {
		if err := w.chunk(c); err != nil {
			w.in.failWith(err)
		}
	}
	c.rec.Release()
}

func (in *intake) failed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.fail != nil
}

func (in *intake) failWith(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.fail == nil {
		in.fail = err
	}
}

func (w *worker) chunk(c chunk) error {
	p := w.in.p
	outcomes := w.outcomes[:c.rec.NumRows()]
	p.evaluate(c.rec, w.cols, outcomes)
	subjects := textOf(c.rec.Column(w.cols[p.subject.Field]))
	var withhold *array.Boolean
	if p.subject.Withhold != "" {
		withhold, _ = c.rec.Column(w.cols[p.subject.Withhold]).(*array.Boolean)
	}
	var name, phone text
	if p.hasIdentity() {
		name, phone = textOf(c.rec.Column(w.cols[p.name])), textOf(c.rec.Column(w.cols[p.phone]))
	}
	unmatchable := int64(0)
	for i, bits := range outcomes {
		e := entry{row: c.row + int64(i), outcomes: bits}
		subject, err := w.canonical(p.subject.Identifier, subjects, i)
		if err != nil {
			w.in.invalid(e.row, err)
			continue
		}
		e.key = w.hash.key(subject)
		if withhold != nil && !withhold.IsNull(i) && withhold.Value(i) {
			e.flags |= flagWithheld
		}
		if p.hasIdentity() && !w.identity(&e, name, phone, i) {
			unmatchable++
		}
		if err := w.out.add(&e); err != nil {
			return err
		}
	}
	w.in.mu.Lock()
	w.in.stats.Unmatchable += unmatchable
	w.in.mu.Unlock()
	return nil
}

// identity sets the digests of a row that has both a name and a phone.
func (w *worker) identity(e *entry, name, phone text, i int) bool {
	n, err := w.canonical(identifier.PersonName, name, i)
	if err != nil {
		return false
	}
	w.hash.digest(e.digests[:digestSize], &e.key, nameDigest, n)
	if n, err = w.canonical(identifier.Mobile, phone, i); err != nil {
		return false
	}
	w.hash.digest(e.digests[digestSize:], &e.key, phoneDigest, n)
	e.flags |= flagIdentity
	return true
}

// canonical gives the canonical form of a cell, valid until the next call.
func (w *worker) canonical(kind identifier.Kind, col text, i int) ([]byte, error) {
	if col.IsNull(i) {
		return nil, errNull
	}
	var err error
	w.raw = col.append(w.raw[:0], i)
	w.canon, err = identifier.AppendCanonical(w.canon[:0], kind, w.raw)
	return w.canon, err
}

// evaluate sets out[i] to the outcomes of row i.
func (p *Program) evaluate(rec arrow.Record, cols columns, out []uint64) {
	clear(out)
	for n := range p.preds {
		c, bit := &p.preds[n], uint64(1)<<n
		switch {
		case c.test != nil:
			c.test.mark(rec.Column(cols[c.src.Field]), bit, out)
		case c.src.Kind == Exists:
			for i := range out {
				out[i] |= bit
			}
		}
	}
}

// text reads the cells of a text or int64 column as bytes.
type text struct {
	arrow.Array
	str  *array.String
	long *array.LargeString
	num  *array.Int64
}

func textOf(a arrow.Array) text {
	t := text{Array: a}
	switch a := a.(type) {
	case *array.String:
		t.str = a
	case *array.LargeString:
		t.long = a
	case *array.Int64:
		t.num = a
	}
	return t
}

func (t text) append(dst []byte, i int) []byte {
	switch {
	case t.str != nil:
		return append(dst, t.str.Value(i)...)
	case t.long != nil:
		return append(dst, t.long.Value(i)...)
	case t.num != nil:
		return strconv.AppendInt(dst, t.num.Value(i), 10)
	}
	return dst
}
