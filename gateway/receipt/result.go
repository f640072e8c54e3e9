package receipt

import (
	"errors"
	"iter"

	"github.com/yumen-project/yumen/gateway/audit"
)

// Bounds and version of result files.
const (
	// FormatResult is the version of the result file this package writes and reads.
	FormatResult = 1
	// MaxResult is the largest result file in bytes: a batch of MaxRows short rows.
	MaxResult = 1 << 30
)

// ErrResult: a value is not canonical JSON, or an id is not one.
var ErrResult = errors.New("result file refused")

// Opening opens one commitment: the nonce and the value, canonical JSON.
type Opening struct {
	Nonce Nonce
	Value []byte
}

// Commit is the commitment that o opens.
func (o *Opening) Commit(tag string) audit.Hash { return Commit(tag, &o.Nonce, o.Value) }

// AppendResult appends the result file of everything but a batch:
//
//	{"format":1,"id":ID,"request":{"nonce":HEX,"value":JSON},"result":{"nonce":HEX,"value":JSON}}
//
// id is the statement's. The file belongs to the requester alone.
func AppendResult(dst []byte, id string, request, result *Opening) ([]byte, error) {
	if !isHex(id, 32) || RequireCanonical(request.Value) != nil || RequireCanonical(result.Value) != nil {
		return nil, ErrResult
	}
	dst = appendResultHead(dst, id)
	dst = append(dst, `,"request":`...)
	dst = request.append(dst)
	dst = append(dst, `,"result":`...)
	dst = result.append(dst)
	return append(dst, '}'), nil
}

func appendResultHead(dst []byte, id string) []byte {
	dst = appendInt(append(dst, `{"format":`...), FormatResult)
	return appendField(dst, `,"id":`, id)
}

func (o *Opening) append(dst []byte) []byte {
	dst = appendHex(append(dst, `{"nonce":`...), o.Nonce[:])
	dst = append(append(dst, `,"value":`...), o.Value...)
	return append(dst, '}')
}

// AppendBatch appends the result file of a batch:
//
//	{"format":1,"id":ID,"request":JSON,"rows":[{"request":JSON,"result":JSON},...],"seed":HEX}
//
// request is what all rows have in common ({} if nothing); its commitment is
// under seed.RequestNonce. rows yields request and result of each row in order.
func AppendBatch(dst []byte, id string, seed *Seed, request []byte, rows iter.Seq2[[]byte, []byte]) ([]byte, error) {
	if !isHex(id, 32) || RequireCanonical(request) != nil {
		return nil, ErrResult
	}
	dst = appendResultHead(dst, id)
	dst = append(append(dst, `,"request":`...), request...)
	dst = append(dst, `,"rows":[`...)
	count := 0
	for rowRequest, rowResult := range rows {
		if RequireCanonical(rowRequest) != nil || RequireCanonical(rowResult) != nil {
			return nil, ErrResult
		}
		if count > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"request":`...), rowRequest...)
		dst = append(append(dst, `,"result":`...), rowResult...)
		dst = append(dst, '}')
		count++
	}
	if count < 1 || count > MaxRows {
		return nil, ErrRows
	}
	dst = appendHex(append(dst, `],"seed":`...), seed[:])
	return append(dst, '}'), nil
}

// OpenRow makes of a batch's result file the file that shows one row alone:
//
//	{"format":1,"id":ID,"index":N,"nonce":HEX,"path":[BASE64,...],"request":JSON,"result":JSON}
//
// It tells nothing of other rows but how many hashes the tree is high.
func OpenRow(batch []byte, index int) ([]byte, error) {
	var commitments *RowCommitments
	var request, result []byte
	b, err := readBatch(batch, func(seed *Seed, i int, rowRequest, rowResult []byte) {
		if commitments == nil {
			commitments = NewRowCommitments(seed, 0)
		}
		commitments.Add(rowRequest, rowResult)
		if i == index {
			request, result = rowRequest, rowResult
		}
	})
	if err != nil {
		return nil, err
	}
	if commitments == nil || index < 0 || index >= b.rows {
		return nil, ErrRows
	}
	nonce, path, err := commitments.Open(index)
	if err != nil {
		return nil, err
	}
	dst := appendResultHead(nil, b.id)
	dst = appendInt(append(dst, `,"index":`...), int64(index))
	dst = appendHex(append(dst, `,"nonce":`...), nonce[:])
	dst = appendHashes(append(dst, `,"path":`...), path)
	dst = append(append(dst, `,"request":`...), request...)
	dst = append(append(dst, `,"result":`...), result...)
	return append(dst, '}'), nil
}

// FileValue is the value that stands for a result too large for a result file:
// its length and the SM3 of its bytes.
func FileValue(sum audit.Hash, size int64) []byte {
	dst := appendInt([]byte(`{"bytes":`), size)
	dst = appendHex(append(dst, `,"file_sm3":`...), sum[:])
	return append(dst, '}')
}

// single is a result file read by readSingle.
type single struct {
	id              string
	request, result Opening
}

func (r *reader) resultHead() string {
	r.lit(`{"format":`)
	r.format(FormatResult)
	r.lit(`,"id":`)
	return r.text()
}

func (r *reader) nonce() Nonce { return Nonce(r.hash()) }

func (r *reader) opening() (o Opening) {
	r.lit(`{"nonce":`)
	o.Nonce = r.nonce()
	r.lit(`,"value":`)
	o.Value = r.raw()
	r.lit("}")
	return o
}

func readSingle(b []byte) (*single, error) {
	r := &reader{b: b}
	s := &single{id: r.resultHead()}
	r.lit(`,"request":`)
	s.request = r.opening()
	r.lit(`,"result":`)
	s.result = r.opening()
	r.lit("}")
	r.end()
	return s, r.err
}

// batch is a batch's result file without its rows.
type batch struct {
	id      string
	seed    Seed
	request []byte
	rows    int
}

// batchTail is the length of `],"seed":"..."}`, which always ends a batch file.
const batchTail = len(`],"seed":""}`) + 2*len(Seed{})

// readBatch reads a batch's result file and hands each row to row. The seed
// stands last and is needed first, so it is read from its fixed place.
func readBatch(b []byte, row func(seed *Seed, i int, request, result []byte)) (*batch, error) {
	if len(b) < batchTail || len(b) > MaxResult {
		return nil, ErrSize
	}
	out := &batch{}
	tail := &reader{b: b[len(b)-batchTail:]}
	tail.lit(`],"seed":`)
	out.seed = Seed(tail.hash())
	tail.lit("}")
	tail.end()
	if tail.err != nil {
		return nil, tail.err
	}
	r := &reader{b: b[:len(b)-batchTail]}
	out.id = r.resultHead()
	r.lit(`,"request":`)
	out.request = r.raw()
	r.lit(`,"rows":[`)
	for r.err == nil && len(r.b) > 0 {
		if out.rows > 0 {
			r.lit(",")
		}
		r.lit(`{"request":`)
		request := r.raw()
		r.lit(`,"result":`)
		result := r.raw()
		r.lit("}")
		if r.err == nil {
			row(&out.seed, out.rows, request, result)
			out.rows++
		}
	}
	return out, r.err
}

// rowOpening is a file made by OpenRow.
type rowOpening struct {
	id              string
	index           uint64
	nonce           Nonce
	path            []audit.Hash
	request, result []byte
}

func readRow(b []byte) (*rowOpening, error) {
	r := &reader{b: b}
	o := &rowOpening{id: r.resultHead()}
	o.index = r.index()
	r.lit(`,"nonce":`)
	o.nonce = r.nonce()
	r.lit(`,"path":`)
	o.path = r.hashes()
	r.lit(`,"request":`)
	o.request = r.raw()
	r.lit(`,"result":`)
	o.result = r.raw()
	r.lit("}")
	r.end()
	return o, r.err
}
