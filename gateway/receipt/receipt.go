package receipt

import (
	"bytes"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/yumen-project/yumen/gateway/audit"
)

// Bounds and version of a receipt file.
const (
	// FormatReceipt is the version of the receipt file this package writes and reads.
	FormatReceipt = 1
	// MaxReceipt is the largest receipt file in bytes.
	MaxReceipt = 128 << 10
	// MaxProof bounds the hashes of a proof.
	MaxProof = 64
	// MaxCheckpoint bounds the text of a checkpoint in bytes.
	MaxCheckpoint = 16 << 10
)

// ErrReceipt: parts of a receipt are out of bounds or do not belong together.
var ErrReceipt = errors.New("receipt parts do not fit")

// Receipt is what travels with every result.
type Receipt struct {
	Statement  []byte       // canonical JSON of a Statement
	Entry      []byte       // the log's public entry, 80 bytes
	Index      uint64       // of the entry in the log, from 0
	Proof      []audit.Hash // inclusion of the entry under the checkpoint
	Checkpoint []byte       // signed checkpoint text
}

// Build makes a receipt of a canonical statement, its StatementHash, and what
// the log gave back for it. The entry must be a release and hold that hash.
func Build(statement []byte, hash audit.Hash, entry []byte, index uint64, proof []audit.Hash, checkpoint []byte) (*Receipt, error) {
	r := &Receipt{Statement: statement, Entry: entry, Index: index, Proof: proof, Checkpoint: checkpoint}
	if err := r.check(); err != nil {
		return nil, err
	}
	if judgeEntry(entry, hash) != reasonNone {
		return nil, ErrReceipt
	}
	return r, nil
}

func (r *Receipt) check() error {
	if len(r.Statement) == 0 || len(r.Statement) > MaxStatement || len(r.Entry) != audit.EntrySize ||
		r.Index > MaxInteger || len(r.Proof) > MaxProof ||
		len(r.Checkpoint) > MaxCheckpoint || !utf8.Valid(r.Checkpoint) {
		return ErrReceipt
	}
	return nil
}

// Append appends the receipt file: canonical JSON, no line end.
func (r *Receipt) Append(dst []byte) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	dst = slices.Grow(dst, len(r.Statement)+len(r.Checkpoint)+len(r.Checkpoint)/8+48*len(r.Proof)+256)
	return r.append(dst, appendString(nil, r.Checkpoint)), nil
}

// append writes the file; checkpoint is the JSON string of it.
func (r *Receipt) append(dst, checkpoint []byte) []byte {
	dst = append(dst, `{"checkpoint":`...)
	dst = append(dst, checkpoint...)
	dst = append(dst, `,"entry":`...)
	dst = appendBase64(dst, r.Entry)
	dst = appendInt(append(dst, `,"format":`...), FormatReceipt)
	dst = appendInt(append(dst, `,"index":`...), int64(r.Index))
	dst = append(dst, `,"proof":`...)
	dst = appendHashes(dst, r.Proof)
	dst = append(dst, `,"statement":`...)
	dst = append(dst, r.Statement...)
	return append(dst, '}')
}

// Quoted is the text of a checkpoint with its form in a receipt file, for the
// many receipts under one checkpoint.
type Quoted struct{ text, quoted []byte }

// Quote makes it. The text must not be changed afterwards.
func Quote(checkpoint []byte) *Quoted { return &Quoted{checkpoint, appendString(nil, checkpoint)} }

// AppendUnder is Append where q was made of the receipt's own checkpoint.
func (r *Receipt) AppendUnder(dst []byte, q *Quoted) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if !bytes.Equal(r.Checkpoint, q.text) {
		return nil, ErrReceipt
	}
	dst = slices.Grow(dst, len(r.Statement)+len(q.quoted)+48*len(r.Proof)+256)
	return r.append(dst, q.quoted), nil
}

// ParseReceipt reads a receipt file. It accepts one form only, so that any
// changed byte either fails here or changes a value. The statement is bounded
// and canonical but not yet judged: see ParseStatement and Verify.
func ParseReceipt(b []byte) (*Receipt, error) {
	if len(b) > MaxReceipt {
		return nil, ErrSize
	}
	r, rd := &Receipt{}, &reader{b: b}
	rd.lit(`{"checkpoint":`)
	r.Checkpoint = rd.bytes()
	rd.lit(`,"entry":`)
	r.Entry = rd.base64(audit.EntrySize)
	rd.lit(`,"format":`)
	rd.format(FormatReceipt)
	r.Index = rd.index()
	rd.lit(`,"proof":`)
	r.Proof = rd.hashes()
	rd.lit(`,"statement":`)
	r.Statement = rd.object()
	rd.lit("}")
	rd.end()
	if rd.err != nil {
		return nil, rd.err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *reader) index() uint64 {
	r.lit(`,"index":`)
	n := r.integer()
	if n < 0 {
		r.fail(ErrNumber)
		return 0
	}
	return uint64(n)
}

func appendHashes(dst []byte, hashes []audit.Hash) []byte {
	dst = append(dst, '[')
	for i := range hashes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendBase64(dst, hashes[i][:])
	}
	return append(dst, ']')
}

// hashes reads an array of at most MaxProof hashes in base64.
func (r *reader) hashes() []audit.Hash {
	r.lit("[")
	var out []audit.Hash
	for !r.has("]") && r.err == nil {
		if len(out) > 0 {
			r.lit(",")
		}
		b := r.base64(len(audit.Hash{}))
		if r.err == nil && (len(b) != len(audit.Hash{}) || len(out) == MaxProof) {
			r.fail(ErrSize)
		}
		if r.err == nil {
			out = append(out, audit.Hash(b))
		}
	}
	return out
}
