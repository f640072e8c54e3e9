package run

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/emmansun/gmsm/sm3"

	"github.com/yumen-project/yumen/masking"
)

const (
	manifestName = "manifest.json"
	progressName = "progress.json"
	version      = 1
	// maxManifest bounds what is read back.
	maxManifest = 64 << 20
)

// Manifest says what a finished directory holds, and what was done to get it.
// The same form, without Complete, is the record of an unfinished run.
type Manifest struct {
	Version  int     `json:"masked_table"`
	Complete bool    `json:"complete"`
	Format   Format  `json:"format"`
	Policy   string  `json:"policy_sm3"` // hex: hash of the policy
	Input    string  `json:"input"`      // hex: Input.Digest
	Schema   string  `json:"schema_sm3"` // hex: of names and types of the output
	Fields   []Field `json:"fields"`     // of the output

	RowsRead   int64 `json:"rows_read"`
	NotSampled int64 `json:"rows_not_sampled"`
	Dropped    int64 `json:"rows_suppressed"`
	Rows       int64 `json:"rows"`

	Columns []Column `json:"columns"` // of the input, in its order
	Parts   []Part   `json:"parts"`

	Before map[string]float64 `json:"before,omitempty"`
	After  map[string]float64 `json:"after,omitempty"`
}

// Field is one column of the output.
type Field struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Column says how one column of the input was treated.
type Column struct {
	Name       string `json:"name"`
	Technique  string `json:"technique"`
	Left       bool   `json:"left"`
	Nulls      int64  `json:"nulls"`
	Suppressed int64  `json:"cells_suppressed"` // malformed values made nulls
}

// Part is one file.
type Part struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows"`  // in the file
	Read  int64  `json:"read"`  // of the input, behind them
	Bytes int64  `json:"bytes"` // of the file
	SM3   string `json:"sm3"`   // hex, of the file
}

// newManifest is the record of a run that has done nothing yet.
func newManifest(f Format, in [32]byte, schema *arrow.Schema, r *masking.Report) *Manifest {
	m := &Manifest{Version: version, Format: f, Policy: hex.EncodeToString(r.Policy[:]), Input: hex.EncodeToString(in[:]), Parts: []Part{}}
	h := sm3.New()
	for _, f := range schema.Fields() {
		m.Fields = append(m.Fields, Field{Name: f.Name, Type: f.Type.String()})
		fmt.Fprintf(h, "%d %s %d %s\n", len(f.Name), f.Name, len(f.Type.String()), f.Type)
	}
	m.Schema = hex.EncodeToString(h.Sum(nil))
	for _, c := range r.Columns {
		m.Columns = append(m.Columns, Column{Name: c.Name, Technique: c.Technique, Left: c.Left})
	}
	return m
}

// continues reports whether the record is one of the same run.
func (m *Manifest) continues(old *Manifest) bool {
	same := old.Version == m.Version && old.Format == m.Format &&
		old.Policy == m.Policy && old.Input == m.Input && old.Schema == m.Schema && len(old.Columns) == len(m.Columns)
	for i := range m.Columns {
		same = same && old.Columns[i].Name == m.Columns[i].Name && old.Columns[i].Technique == m.Columns[i].Technique
	}
	return same
}

// add records a part and what was counted over it.
func (m *Manifest) add(p Part, r *masking.Report) {
	m.Parts = append(m.Parts, p)
	m.RowsRead += r.Rows
	m.NotSampled += r.NotSampled
	m.Dropped += r.Dropped
	m.Rows += p.Rows
	for i, c := range r.Columns {
		m.Columns[i].Nulls += c.Nulls
		m.Columns[i].Suppressed += c.Malformed
	}
}

func (m *Manifest) encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, errors.New("record cannot be encoded")
	}
	return append(b, '\n'), nil
}

var (
	errManifest = errors.New("record cannot be read")
	partNames   = regexp.MustCompile(`^part-[0-9]{6}\.(parquet|arrow)$`)
	sums        = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// parseManifest reads a record and checks that its numbers agree.
func parseManifest(r io.Reader) (*Manifest, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil || len(raw) > maxManifest {
		return nil, errManifest
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	m := &Manifest{}
	if err := dec.Decode(m); err != nil {
		return nil, errManifest
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errManifest
	}
	return m, m.check()
}

func (m *Manifest) check() error {
	if m.Version != version || (m.Format != Parquet && m.Format != Arrow) ||
		!sums.MatchString(m.Policy) || !sums.MatchString(m.Input) || !sums.MatchString(m.Schema) {
		return errManifest
	}
	var rows, read int64
	for i, p := range m.Parts {
		if p.Name != partName(i, m.Format) || !partNames.MatchString(p.Name) || !sums.MatchString(p.SM3) ||
			p.Rows < 0 || p.Read < p.Rows || p.Bytes <= 0 {
			return errManifest
		}
		rows += p.Rows
		read += p.Read
		if rows < 0 || read < 0 {
			return errManifest
		}
	}
	if rows != m.Rows || read != m.RowsRead || m.NotSampled < 0 || m.Dropped < 0 || m.RowsRead-m.NotSampled-m.Dropped != m.Rows {
		return errManifest
	}
	return nil
}

func partName(i int, f Format) string { return fmt.Sprintf("part-%06d.%s", i+1, f) }
