package receipt

import "strings"

// Names of claims. Each is judged at most once in a report.
const (
	ClaimForm       = "form"       // the receipt is one, byte for byte canonical
	ClaimStatement  = "statement"  // the statement is well formed and within bounds
	ClaimTrust      = "trust"      // a trust file matches the statement
	ClaimCheckpoint = "checkpoint" // signed by the trusted key for the trusted origin
	ClaimEntry      = "entry"      // the log's entry is of this statement
	ClaimInclusion  = "inclusion"  // the entry is in the log of the checkpoint
	ClaimRequest    = "request"    // the request shown is the one committed to
	ClaimRows       = "rows"       // number or index of rows is as stated
	ClaimResult     = "result"     // the result shown is the one committed to
	ClaimBody       = "body"       // a separate file is the one the result stands for
	ClaimPlan       = "plan"       // an encrypted result names its plan, and enough holders who recomputed it
	ClaimLog        = "log"        // tiles, root and checkpoint agree
	ClaimReceipts   = "receipts"   // every receipt is of this log
	ClaimWitness    = "witness"    // a checkpoint that a witness signed is of this log
	NoteExpiry      = "expiry"     // information: is the permitted use over
)

// Claim is one judged sentence, or one note. Detail is a fixed English
// sentence; it never holds a value.
type Claim struct {
	Name   string
	OK     bool
	Detail string

	why   reason
	where string // a field or a number, never a value
}

// Report is the outcome of a verification. What could not be judged because
// something before it failed is not listed.
type Report struct {
	Claims []Claim
	Notes  []Claim // information that decides nothing
}

// OK tells whether there are claims and all hold.
func (r *Report) OK() bool { return len(r.Claims) > 0 && r.Failed() == "" }

// Failed names the first claim that fails, or is empty.
func (r *Report) Failed() string {
	for i := range r.Claims {
		if !r.Claims[i].OK {
			return r.Claims[i].Name
		}
	}
	return ""
}

// Holds tells whether the claim of this name was judged and holds.
func (r *Report) Holds(name string) bool {
	for i := range r.Claims {
		if r.Claims[i].Name == name {
			return r.Claims[i].OK
		}
	}
	return false
}

// judge adds a claim: reasonNone means that it holds.
func (r *Report) judge(name string, why reason) bool { return r.judgeAt(name, why, "") }

// judgeAt is judge with the place where it fails.
func (r *Report) judgeAt(name string, why reason, where string) bool {
	ok := why == reasonNone
	if ok {
		why = reasonHolds
	}
	detail, _ := why.text()
	if where != "" {
		detail += ": " + where
	}
	r.Claims = append(r.Claims, Claim{Name: name, OK: ok, Detail: detail, why: why, where: where})
	return ok
}

func (r *Report) note(name string, why reason) {
	detail, _ := why.text()
	r.Notes = append(r.Notes, Claim{Name: name, OK: true, Detail: detail, why: why})
}

// Text prints one line per claim, then the notes; lang is "zh" or "en".
func (r *Report) Text(lang string) string {
	var b strings.Builder
	for _, c := range r.Claims {
		mark := "ok  "
		if !c.OK {
			mark = "FAIL"
		}
		c.line(&b, mark, lang)
	}
	for _, c := range r.Notes {
		c.line(&b, "note", lang)
	}
	return b.String()
}

func (c *Claim) line(b *strings.Builder, mark, lang string) {
	b.WriteString(mark)
	b.WriteByte(' ')
	b.WriteString(c.Name)
	if lang == "zh" {
		_, zh := c.why.text()
		b.WriteString(" " + claimLabel(c.Name) + "：" + zh)
		if c.where != "" {
			b.WriteString("：" + c.where)
		}
		b.WriteByte('\n')
		return
	}
	b.WriteString(": " + c.Detail + "\n")
}
