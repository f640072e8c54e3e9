package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/risk"
	"github.com/yumen-project/yumen/masking/run"
)

const progressEvery = 200 * time.Millisecond

// maskReport is what a run ends with. It holds counts and names, and never a value.
type maskReport struct {
	Policy  string `json:"policy_sm3"`
	Name    string `json:"policy_name"`
	Input   string `json:"input_sm3_tree"` // SM3 over the SM3 sums of chunks of 1 MiB
	Gate    string `json:"gate"`
	Rows    int64  `json:"rows"`
	Read    int64  `json:"rows_read"`
	Sampled int64  `json:"rows_not_sampled"`
	Dropped int64  `json:"rows_suppressed"`

	Columns []maskReportColumn `json:"columns"`
	Parts   []run.Part         `json:"parts"`
	Before  map[string]float64 `json:"before,omitempty"`
	After   map[string]float64 `json:"after,omitempty"`
}

type maskReportColumn struct {
	run.Column
	Class  string            `json:"class"`
	Grade  string            `json:"grade"`
	Params map[string]string `json:"params,omitempty"`
	Key    string            `json:"key,omitempty"`
}

func printMaskReport(w io.Writer, p *masking.Policy, m *run.Manifest, input audit.Hash) error {
	out := maskReport{Policy: m.Policy, Name: p.Name, Input: hex.EncodeToString(input[:]), Rows: m.Rows, Read: m.RowsRead, Sampled: m.NotSampled,
		Dropped: m.Dropped, Parts: m.Parts, Before: m.Before, After: m.After, Gate: "none: this table has passed no gate and carries no receipt"}
	for _, c := range m.Columns {
		one := maskReportColumn{Column: c}
		for _, pc := range p.Columns {
			if pc.Name == c.Name {
				one.Class, one.Grade, one.Params, one.Key = pc.Class, pc.Grade, pc.Published(), pc.Key
			}
		}
		out.Columns = append(out.Columns, one)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// measureClasses counts the classes of the quasi-identifiers that are left, before and after. Memory
// grows with the number of classes, not with that of rows.
func measureClasses(p *masking.Policy) run.Measure {
	quasi := p.Exposed() // as the gate counts: a part of an identifier that is left singles out too
	return func(ctx context.Context, _ run.Stage, read run.Open) (map[string]float64, error) {
		r, err := read(ctx)
		if err != nil {
			return nil, err
		}
		defer r.Release()
		sets := [][]string{quasi}
		for _, name := range quasi {
			sets = append(sets, []string{name})
		}
		counted, err := countClasses(ctx, r, sets)
		if err != nil {
			return nil, err
		}
		sizes := counted[0].Sizes()
		out := figuresOf(sizes)
		for i, name := range quasi {
			out["distinct."+name] = float64(counted[i+1].Len())
		}
		return out, nil
	}
}

func countClasses(ctx context.Context, r array.RecordReader, sets [][]string) ([]*risk.Classes, error) {
	out := make([]*risk.Classes, len(sets))
	for i, columns := range sets {
		var err error
		if out[i], err = risk.NewClasses(r.Schema(), columns); err != nil {
			return nil, err
		}
	}
	for r.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, c := range out {
			if err := c.Add(r.Record()); err != nil {
				return nil, err
			}
		}
	}
	return out, r.Err()
}

// atRisk is the probability above which a record counts as at risk: classes below five.
const atRisk = 0.2

func figuresOf(s risk.Sizes) map[string]float64 {
	a, records, classes := s.Attack(atRisk), s.Records(), s.Classes()
	out := map[string]float64{
		"rows": float64(records), "classes": float64(classes), "k": float64(s.K()), "uniques": float64(s.Below(2)),
		"prosecutor_max": a.ProsecutorMax, "prosecutor_average": a.ProsecutorAverage, "prosecutor_at_risk": a.ProsecutorAtRisk,
		"marketer": a.Marketer, "discernibility": s.Discernibility(), "average_class": 0,
	}
	if classes > 0 {
		out["average_class"] = float64(records) / float64(classes)
	}
	return out
}
