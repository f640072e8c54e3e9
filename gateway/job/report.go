package job

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// What a report is about.
const (
	actRegistration   = "registration"
	actReconstruction = "reconstruction"
)

// Outcomes that a report tells. None says more about the data than an answer or its refusal does.
const (
	outRegistered = "registered"
	outRefused    = "refused"
	outUnread     = "unread"    // the dataset could not be read
	outBelow      = "below"     // the attack stayed below the threshold
	outAbove      = "above"     // it did not
	outUntried    = "not-tried" // too many subjects, or it ran into a bound
)

// Report is what registering the templates and tables of a dataset, or attacking its released tables,
// came to: what was judged by which thresholds, and passed or failed. The gateway signs it with the key
// of its checkpoints, which the trust file names. It tells outcomes alone: no count of subjects, no
// share, no rate. Sets of subjects that tables tell apart are compared with a limit and not counted,
// since one set more can be one subject.
type Report struct {
	Format   string `json:"format"`
	Act      string `json:"act"` // registration or reconstruction
	Dataset  string `json:"dataset"`
	Version  string `json:"version"`
	Provider string `json:"provider"`
	TimeMS   int64  `json:"time_ms"`

	SharePermille   int64             `json:"share_permille,omitempty"`
	MinimumSubjects int64             `json:"minimum_subjects,omitempty"`
	Templates       []ReportTemplate  `json:"templates,omitempty"`
	Tables          []ReportTable     `json:"tables,omitempty"`
	JudgedWith      int               `json:"judged_with,omitempty"` // tables registered before
	RecoveryLimit   int64             `json:"recovery_limit_permille,omitempty"`
	Columns         map[string]string `json:"columns,omitempty"` // column -> outcome of the attack on it

	// Nonce makes the public hash of the report tell nothing.
	Nonce string `json:"nonce"`
}

// ReportTemplate is the outcome for one template: whether every cell of the common refinement holds the share.
type ReportTemplate struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
}

// ReportTable is the outcome for one exact table under all its ids: how many cells answers have, and how
// many of them are withheld. A table that was refused has no answer and no figures.
type ReportTable struct {
	IDs      []string `json:"ids"`
	Outcome  string   `json:"outcome"`
	Cells    int      `json:"cells,omitempty"`
	Withheld int      `json:"withheld,omitempty"`
}

const reportFormat = "yumen/report/v1"

// signedReport is a report in the log, byte for byte as it was signed.
type signedReport struct {
	Dataset   string `json:"dataset"`
	Provider  string `json:"provider"`
	Act       string `json:"act"`
	Text      []byte `json:"text"`
	Signature []byte `json:"signature"`
}

// ReportMessage is what is signed: a first line that no checkpoint has, the log's origin, and the text.
func ReportMessage(origin string, text []byte) []byte {
	return append(fmt.Appendf(nil, "yumen-report-v1\n%s\n", origin), text...)
}

// writeReport signs a report and makes it an entry. The entry's statement hash is SM3 over message and
// signature, so whoever holds the report can show that the log does.
func (r *Runner) writeReport(ctx context.Context, report *Report) error {
	var nonce receipt.Nonce
	if _, err := r.o.Rand.Read(nonce[:]); err != nil {
		return fmt.Errorf("draw nonce: %w", err)
	}
	report.Format, report.TimeMS, report.Nonce = reportFormat, r.Now(), hex.EncodeToString(nonce[:])
	text, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	signer, err := r.o.Ring.Signer(keyring.Checkpoint, CheckpointKeyName)
	if err != nil {
		return fmt.Errorf("sign report: %w", err)
	}
	message := ReportMessage(Origin(r.o.Domain), text)
	signature, err := signer.Sign(message)
	if err != nil {
		return fmt.Errorf("sign report: %w", err)
	}
	c := &change{Report: &signedReport{Dataset: report.Dataset, Provider: report.Provider, Act: report.Act, Text: text, Signature: signature}}
	_, err = r.write(ctx, audit.Registration, audit.HashOf(append(message, signature...)), c)
	return err
}

// reportRegistrations writes a report for every dataset of which something was judged now.
func (r *Runner) reportRegistrations(ctx context.Context, d *governance.Domain, registered []*registration, found *judged) error {
	for i := range d.Datasets {
		ds := &d.Datasets[i]
		report := &Report{Act: actRegistration, Dataset: ds.ID, Version: ds.Version, Provider: ds.Provider}
		for _, reg := range registered {
			if reg.Dataset == ds.ID {
				report.SharePermille = reg.judgedBy()
				report.Templates = templateOutcomes(reg)
			}
		}
		tables, err := tableOutcomes(d, ds.ID, found)
		if err != nil {
			return err
		}
		if len(tables) > 0 {
			report.Tables, report.MinimumSubjects, report.JudgedWith = tables, d.Settings.MinimumSubjects, found.with[ds.ID]
			report.Columns, report.RecoveryLimit = columnOutcomes(found.attacks, ds.ID), recoveryLimit
		}
		if len(report.Templates)+len(tables) == 0 {
			continue
		}
		if err := r.writeReport(ctx, report); err != nil {
			return err
		}
	}
	return nil
}

func templateOutcomes(reg *registration) []ReportTemplate {
	var out []ReportTemplate
	for outcome, want := range map[string]bool{outRegistered: true, outRefused: false} {
		for _, id := range sortedIDs(reg.Templates, want) {
			out = append(out, ReportTemplate{ID: id, Outcome: outcome})
		}
	}
	slices.SortFunc(out, func(a, b ReportTemplate) int { return slices.Compare([]string{a.ID}, []string{b.ID}) })
	return out
}

// tableOutcomes lists the tables of the domain file that were judged now, or could not be.
func tableOutcomes(d *governance.Domain, dataset string, found *judged) ([]ReportTable, error) {
	known := map[string]*pattern{}
	for _, p := range found.patterns {
		key, err := tableKey(&p.Table)
		if err != nil {
			return nil, err
		}
		known[key] = p
	}
	at := map[string]int{}
	var out []ReportTable
	for i := range d.Tables {
		t := &d.Tables[i]
		if t.Dataset != dataset || t.Privacy != nil {
			continue
		}
		key, err := tableKey(t)
		if err != nil {
			return nil, err
		}
		p := known[key]
		if n, ok := at[key]; ok {
			out[n].IDs = append(out[n].IDs, t.ID)
			continue
		}
		unread := slices.Contains(found.unread, dataset)
		if p == nil && !unread {
			continue
		}
		at[key] = len(out)
		out = append(out, tableOutcome(t.ID, p))
	}
	return out, nil
}

func tableOutcome(id string, p *pattern) ReportTable {
	out := ReportTable{IDs: []string{id}, Outcome: outUnread}
	switch {
	case p == nil:
	case p.Refused:
		out.Outcome = outRefused
	default:
		out.Outcome, out.Cells, out.Withheld = outRegistered, p.Cells, p.Cells-len(p.Shown)
	}
	return out
}

func columnOutcomes(attacks []attacked, dataset string) map[string]string {
	out := map[string]string{}
	for _, a := range attacks {
		if a.dataset.ID == dataset {
			out[a.column] = a.outcome
		}
	}
	return out
}
