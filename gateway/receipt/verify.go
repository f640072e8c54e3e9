package receipt

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/gateway/audit"
)

// Verify judges a receipt, and with it a result file (nil: none), against the
// trust files. It reads nothing else: no network, no clock. now is for the
// note on expiry only; the zero time leaves it out. It returns a report for
// whatever it is given and never panics.
func Verify(receipt, result []byte, trust *TrustSet, now time.Time) (report *Report) {
	report = &Report{}
	defer func() {
		if recover() != nil {
			report.judge(ClaimForm, reasonPanic)
		}
	}()
	r, s, ok := report.read(receipt)
	if !ok {
		return report
	}
	report.proof(r, s, trust)
	report.encrypted(s)
	if result != nil {
		report.result(s, result)
	} else {
		report.note(ClaimResult, reasonResultAbsent)
	}
	report.expiry(s, now)
	return report
}

// read judges form and statement.
func (r *Report) read(receipt []byte) (*Receipt, *Statement, bool) {
	parsed, err := ParseReceipt(receipt)
	if err != nil {
		r.judge(ClaimForm, reasonForm)
		return nil, nil, false
	}
	r.judge(ClaimForm, reasonNone)
	s, err := ParseStatement(parsed.Statement)
	if err != nil {
		field := &FieldError{}
		errors.As(err, &field)
		r.judgeAt(ClaimStatement, reasonStatement, field.Field)
		return nil, nil, false
	}
	r.judge(ClaimStatement, reasonNone)
	return parsed, s, true
}

// proof judges trust, checkpoint, entry and inclusion.
func (r *Report) proof(p *Receipt, s *Statement, trust *TrustSet) {
	a, why := trust.find(s)
	r.judge(ClaimTrust, why)
	var checkpoint *audit.Checkpoint
	if a != nil {
		checkpoint = parseCheckpoint(p.Checkpoint, a)
		why = reasonNone
		if checkpoint == nil {
			why = reasonCheckpoint
		}
		r.judge(ClaimCheckpoint, why)
	}
	r.judge(ClaimEntry, judgeEntry(p.Entry, StatementHash(p.Statement)))
	if checkpoint == nil {
		return
	}
	why = reasonNone
	if audit.VerifyInclusion(p.Entry, p.Index, p.Proof, checkpoint) != nil {
		why = reasonInclusion
	}
	r.judge(ClaimInclusion, why)
}

// parseCheckpoint is stricter than the log's: exactly one signature line, so
// that no byte of a receipt is left unjudged. Nil means refused.
func parseCheckpoint(text []byte, a *anchor) *audit.Checkpoint {
	_, signatures, _ := bytes.Cut(text, []byte("\n\n"))
	if bytes.Count(signatures, []byte("\n")) != 1 {
		return nil
	}
	c, err := audit.ParseCheckpoint(text, a.Origin, a.KeyName, a.verifier())
	if err != nil {
		return nil
	}
	return c
}

func judgeEntry(entry []byte, statement audit.Hash) reason {
	e, err := audit.ParseEntry(entry)
	switch {
	case err != nil:
		return reasonEntry
	case e.Kind != audit.Release:
		return reasonEntryKind
	case e.Statement != statement:
		return reasonEntryStatement
	}
	return reasonNone
}

// result judges the result file by the kind of the statement.
func (r *Report) result(s *Statement, file []byte) {
	switch {
	case len(file) > MaxResult:
		r.judge(ClaimResult, reasonResultForm)
	case s.Kind != KindBatch:
		r.single(s, file)
	case isRowFile(file):
		r.row(s, file)
	default:
		r.batch(s, file)
	}
}

// isRowFile tells a row opening from a whole batch: after the id, which has a
// fixed length, comes its index.
func isRowFile(file []byte) bool {
	r := &reader{b: file}
	r.resultHead()
	return r.has(`,"index":`)
}

func (r *Report) single(s *Statement, file []byte) {
	f, err := readSingle(file)
	if !r.own(s, f.id, err) {
		return
	}
	r.judge(ClaimRequest, opens(s.Request, f.request.Commit(TagRequest), reasonRequest))
	r.judge(ClaimResult, opens(s.Result, f.result.Commit(TagResult), reasonResult))
	if s.Kind == KindEncrypted {
		r.judge(ClaimPlan, unless(ofPlan(s, f.result.Value), reasonPlanResult))
	}
}

func (r *Report) batch(s *Statement, file []byte) {
	var tree frontier
	var nonces nonceStream
	b, err := readBatch(file, func(seed *Seed, i int, request, result []byte) {
		tree.add(CommitRow(nonces.next(seed, uint64(i)), uint64(i), request, result))
	})
	if b == nil {
		b = &batch{}
	}
	if !r.own(s, b.id, err) {
		return
	}
	nonce := b.seed.RequestNonce()
	r.judge(ClaimRequest, opens(s.Request, Commit(TagRequest, &nonce, b.request), reasonRequest))
	r.judge(ClaimRows, unless(int64(b.rows) == s.Rows, reasonRowCount))
	r.judge(ClaimResult, opens(s.Result, tree.root(), reasonRowRoot))
}

func (r *Report) row(s *Statement, file []byte) {
	o, err := readRow(file)
	if !r.own(s, o.id, err) {
		return
	}
	if !r.judge(ClaimRows, unless(o.index < uint64(s.Rows), reasonRowIndex)) {
		return
	}
	leaf := CommitRow(&o.nonce, o.index, o.request, o.result)
	root, ok := rootFromPath(leaf, o.index, uint64(s.Rows), o.path)
	why := opens(s.Result, root, reasonRowPath)
	if !ok {
		why = reasonRowPath
	}
	r.judge(ClaimResult, why)
	r.note(ClaimRows, reasonRowAlone)
}

// own tells whether the result file is well formed and of this receipt; if
// not, the claim "result" fails.
func (r *Report) own(s *Statement, id string, err error) bool {
	if err != nil {
		return r.judge(ClaimResult, reasonResultForm)
	}
	return id == s.ID || r.judge(ClaimResult, reasonResultID)
}

// opens compares a commitment of the statement with what was computed.
func opens(committed string, got audit.Hash, otherwise reason) reason {
	return unless(committed == got.String(), otherwise)
}

func unless(ok bool, otherwise reason) reason {
	if ok {
		return reasonNone
	}
	return otherwise
}

func (r *Report) expiry(s *Statement, now time.Time) {
	end, err := expiry(s.Expires)
	switch {
	case s.Expires == "" || err != nil:
		r.note(NoteExpiry, reasonNoExpiry)
	case now.IsZero():
		r.note(NoteExpiry, reasonNoTime)
	case now.Before(end):
		r.note(NoteExpiry, reasonInForce)
	default:
		r.note(NoteExpiry, reasonExpired)
	}
}

// VerifyBody judges a separate file that the result stands for by FileValue.
// The result file must have been verified with its receipt. The error is about
// reading body only.
func VerifyBody(result []byte, body io.Reader) (*Report, error) {
	report := &Report{}
	f, malformed := readSingle(result)
	if standsForFile := malformed == nil && isFileValue(f.result.Value); !standsForFile {
		report.judge(ClaimBody, reasonBodyForm)
		return report, nil
	}
	h := sm3.New()
	size, err := io.Copy(h, body)
	if err != nil {
		return nil, unnamed(err)
	}
	got := FileValue(audit.Hash(h.Sum(nil)), size)
	report.judge(ClaimBody, unless(bytes.HasPrefix(f.result.Value, got[:len(got)-1]), reasonBody))
	return report, nil
}

// isFileValue accepts a FileValue, and one that goes on with more about the file.
func isFileValue(value []byte) bool {
	r := &reader{b: value}
	r.lit(`{"bytes":`)
	r.integer()
	r.lit(`,"file_sm3":`)
	r.hash()
	return r.err == nil && (r.has("}") || r.has(","))
}
