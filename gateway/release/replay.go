package release

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// ErrStored: the stored answer cannot be read back. Report it; ask anew with a new key.
var ErrStored = errors.New("release: stored answer unreadable")

// Replay gives the answer stored at index again: same result and statement, no charge, newest proof
// and checkpoint. The policy in force decides again first. rows are the request's, as for Prepare;
// the ledger has already matched them to the stored request.
func (g *Gate) Replay(ctx context.Context, index uint64, f Facts, rows []Row) (*Release, error) {
	probe := &Candidate{facts: f}
	if _, err := g.stillAllowed(probe, g.o.Now()); err != nil {
		return nil, err
	}
	frame, err := g.o.Log.Frame(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("read stored answer: %w", err)
	}
	record, err := ledger.ParseRecord(frame.Private)
	if err != nil {
		return nil, err
	}
	if frame.Entry.Kind == audit.Refusal {
		return nil, storedRefusal(record.Body)
	}
	if frame.Entry.Kind != audit.Release {
		return nil, fmt.Errorf("%w: entry kind", ErrStored)
	}
	s, err := ReadStatement(frame.Text)
	if err != nil {
		return nil, err
	}
	st := &stated{audit.State(frame.Text), s.ID, s.Serial, s.Party, s.Dataset.AsOf, s.Dataset.Source}
	form, o, canonical, err := g.parseBody(record.Body, &frame.Entry.Statement)
	if err != nil {
		return nil, err
	}
	body, err := parseCanonical(form, canonical)
	if err != nil {
		return nil, err
	}
	if b, ok := body.(Batch); len(rows) == 0 || ok && len(b.Codes) != len(rows) {
		return nil, fmt.Errorf("%w: number of rows", ErrStored)
	}
	c := &Candidate{facts: f, body: body, rows: rows, canonical: canonical, hold: &ledger.Hold{Record: *record}}
	appended, err := g.o.Log.Prove(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("prove stored answer: %w", err)
	}
	o.commit(c)
	rel, err := g.release(c, o, st, appended)
	if err != nil {
		return nil, err
	}
	rel.opened.Replayed = true
	return rel, nil
}

// storedRefusal says again why the same request was refused after its work was done.
func storedRefusal(body []byte) error {
	var d denial
	if err := json.Unmarshal(body, &d); err != nil {
		return fmt.Errorf("%w: refusal", ErrStored)
	}
	return &Repeated{Rule: governance.Rule(d.Rule)}
}

// Repeated: the same request was refused before, by Rule. Do not retry with this key.
type Repeated struct{ Rule governance.Rule }

func (r *Repeated) Error() string { return "release: request was refused before by " + string(r.Rule) }

func parseCanonical(form Form, text []byte) (Body, error) {
	switch form {
	case FormAnswer:
		var a struct{ Answer Code }
		if err := json.Unmarshal(text, &a); err != nil {
			return nil, fmt.Errorf("%w: answer", ErrStored)
		}
		return Answer{Code: a.Answer}, nil
	case FormBatch:
		var codes []uint16
		if err := json.Unmarshal(text, &codes); err != nil {
			return nil, fmt.Errorf("%w: batch", ErrStored)
		}
		b := Batch{Codes: make([]Code, len(codes))}
		for i, c := range codes {
			b.Codes[i] = Code(c)
		}
		return b, nil
	case FormExactTable, FormPrivateTable:
		t, err := parseTable(text)
		t.Private = form == FormPrivateTable
		return t, err
	case FormMaskedTable:
		return parseMasked(text)
	case FormEncrypted:
		return parseEncrypted(text)
	default:
		return nil, fmt.Errorf("%w: form", ErrStored)
	}
}

func parseTable(text []byte) (Table, error) {
	var t struct {
		Cells []struct {
			Keys, Values []string
			Withheld     bool
		}
		GroupBy  []string `json:"group_by"`
		Measures []string
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return Table{}, fmt.Errorf("%w: table", ErrStored)
	}
	out := Table{GroupBy: t.GroupBy, Measures: t.Measures, Cells: make([]Cell, len(t.Cells))}
	for i, c := range t.Cells {
		out.Cells[i] = Cell{Keys: c.Keys, Values: c.Values, Withheld: c.Withheld}
	}
	return out, nil
}

func parseMasked(text []byte) (Body, error) {
	var m struct {
		Bytes, K, Rows int64
		Output         string
		FileSM3        string `json:"file_sm3"`
		Suppressed     int64  `json:"suppressed_permille"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%w: masked table", ErrStored)
	}
	out := Masked{Output: m.Output, Bytes: m.Bytes, Rows: m.Rows, SuppressedPermille: m.Suppressed, K: m.K}
	sum, err := hex.DecodeString(m.FileSM3)
	if err != nil || len(sum) != len(out.FileSM3) {
		return nil, fmt.Errorf("%w: masked table digest", ErrStored)
	}
	out.FileSM3 = [32]byte(sum)
	return out, nil
}
