package job

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/yumen-project/yumen/gateway/alarms"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/release"
)

// Bounds of one page: a search keeps no index, so it reads the log backwards, a bounded part at a time.
const (
	searchFrames = 50 * backWindow
	searchBytes  = 256 << 20
	searchPage   = 100
	// searchSlack is how far the time of a frame may lag behind that of an earlier one.
	searchSlack = 10 * time.Minute
)

// Search gives entries of the log, newest first: all to regulators, the data authority and the
// implementing body, to any other party its own. It never gives a subject or a result;
// reports go to the data authority and the dataset's provider. Errors:
// *release.Denied.
func (r *Runner) Search(ctx context.Context, q *spec.Search) (*spec.SearchPage, error) {
	policy := r.state.Load().policy
	s := &search{r: r, q: *q, page: &spec.SearchPage{}, datasets: datasetsOf(policy.Domain()), authority: q.Caller != Local && may(policy, q.Caller, governance.RoleDataAuthority)}
	if s.q.Limit <= 0 {
		s.q.Limit = searchPage
	}
	s.q.Limit = min(s.q.Limit, spec.MaxSearch)
	if !supervises(policy, q.Caller) {
		if q.Party != "" && q.Party != q.Caller {
			return nil, r.denyAct(ctx, q.Caller, "search", policy.Refuse(governance.RoleNotAllowed))
		}
		s.q.Party = q.Caller
	}
	r.searching.Lock()
	defer r.searching.Unlock()
	before, err := s.begin(ctx)
	if err == nil {
		err = r.backwards(ctx, before, s.see, s.done)
	}
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return s.page, nil
}

// supervises tells who may see entries of others. The machine's own operator may not.
func supervises(p *governance.Policy, party string) bool {
	return party != Local && may(p, party, governance.RoleRegulator, governance.RoleDataAuthority, governance.RoleImplementingBody)
}

// datasetsOf says of which dataset a template, table or mask is, for entries that name only the query.
func datasetsOf(d *governance.Domain) map[string]string {
	out := map[string]string{}
	if d == nil {
		return out
	}
	for i := range d.Templates {
		out[d.Templates[i].ID] = d.Templates[i].Dataset
	}
	for i := range d.Tables {
		out[d.Tables[i].ID] = d.Tables[i].Dataset
	}
	for i := range d.Masks {
		out[d.Masks[i].ID] = d.Masks[i].Dataset
	}
	return out
}

type search struct {
	r        *Runner
	q        spec.Search
	page     *spec.SearchPage
	datasets map[string]string
	// authority: the caller may read reports on the datasets of others.
	authority bool
	window    []spec.LogEntry
	newest    int64 // time in the window
	bytes     int
}

// begin is the index below which the search starts.
func (s *search) begin(ctx context.Context) (uint64, error) {
	size := s.r.log.Size()
	if s.q.Before > 0 {
		size = min(size, s.q.Before)
	}
	if s.q.ToMS <= 0 {
		return size, nil
	}
	var failed error
	late := s.q.ToMS + searchSlack.Milliseconds()
	at := sort.Search(int(size), func(i int) bool {
		f, err := s.r.log.Frame(ctx, uint64(i))
		failed = errors.Join(failed, err)
		return err != nil || f.Entry.Time >= late
	})
	return uint64(at), failed
}

func (s *search) see(f *audit.Frame) error {
	s.page.Scanned++
	s.bytes += len(f.Text) + len(f.Private)
	s.newest = max(s.newest, f.Entry.Time)
	if f.Entry.Time < s.q.FromMS || s.q.ToMS > 0 && f.Entry.Time >= s.q.ToMS || s.q.Kind != "" && s.q.Kind != f.Entry.Kind.String() {
		return nil
	}
	e, err := s.r.logEntry(f)
	if err != nil {
		return fmt.Errorf("entry %d: %w", f.Index, err)
	}
	if e.Dataset == "" {
		e.Dataset = s.datasets[e.Query]
	}
	if e.Party != s.q.Caller && !s.authority {
		e.Report, e.ReportSignature = nil, nil
	}
	if s.wanted(e) {
		s.window = append(s.window, *e)
	}
	return nil
}

func (s *search) wanted(e *spec.LogEntry) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(s.q.Party, e.Party) && is(s.q.Scenario, e.Scenario) && is(s.q.Dataset, e.Dataset)
}

// done ends a window; from is where it began.
func (s *search) done(from uint64) error {
	slices.Reverse(s.window)
	s.page.Entries = append(s.page.Entries, s.window...)
	over := len(s.page.Entries) - s.q.Limit
	old := s.newest < s.q.FromMS-searchSlack.Milliseconds()
	s.window, s.newest = s.window[:0], 0
	switch {
	case over >= 0:
		s.page.Entries = s.page.Entries[:s.q.Limit]
		s.page.Before = s.page.Entries[s.q.Limit-1].Index
		return errEnough
	case old:
		return errEnough
	case from > 0 && (s.page.Scanned >= searchFrames || s.bytes >= searchBytes):
		s.page.Before = from
		return errEnough
	}
	return nil
}

// logEntry is what a supervisor may see of a frame.
func (r *Runner) logEntry(f *audit.Frame) (*spec.LogEntry, error) {
	e := &spec.LogEntry{Index: f.Index, TimeMS: f.Entry.Time, Kind: f.Entry.Kind.String()}
	record, err := ledger.ParseRecord(f.Private)
	if err != nil {
		return nil, err
	}
	switch f.Entry.Kind {
	case audit.Release:
		st, err := release.ReadStatement(f.Text)
		if err != nil {
			return nil, err
		}
		e.Party, e.Scenario, e.Dataset, e.Query = st.Party, st.Scenario, st.Dataset.ID, st.Query
		e.Serial, e.PolicyHash = st.Serial, st.Policy
	case audit.Refusal:
		d, err := release.ReadRefusal(record.Body)
		if err != nil {
			return nil, err
		}
		e.Party, e.Scenario, e.Query, e.Rule = d.Party, d.Scenario, d.Query, d.Rule
	case audit.Outcome:
		r.outcomeEntry(e, record.Body)
	default:
		c, err := r.openChange(record.Body)
		if err != nil {
			return nil, err
		}
		r.changeEntry(e, c, f.Entry.Statement)
	}
	return e, nil
}

// outcomeEntry tells alarms; other outcomes name nobody.
func (r *Runner) outcomeEntry(e *spec.LogEntry, body []byte) {
	text, err := r.seal.Open(nil, alarmAAD, body)
	if err != nil {
		return
	}
	var a alarms.Alarm
	if json.Unmarshal(text, &a) == nil {
		e.Party, e.Scenario, e.Rule = a.Party, a.Scenario, string(a.Rule)
	}
}

func (r *Runner) changeEntry(e *spec.LogEntry, c *change, statement audit.Hash) {
	switch {
	case c.Domain != nil:
		e.Party, e.PolicyHash = c.Domain.By, hex.EncodeToString(statement[:])
	case c.Suspension != nil:
		e.Party, e.PolicyHash = c.Suspension.By, hex.EncodeToString(statement[:])
	case c.Registered != nil:
		e.Dataset = c.Registered.Dataset
	case c.Report != nil:
		e.Party, e.Dataset, e.Query = c.Report.Provider, c.Report.Dataset, c.Report.Act
		e.Report, e.ReportSignature = c.Report.Text, c.Report.Signature
	case c.KeyDestroyed != nil:
		e.Party, e.Scenario, e.Query = c.KeyDestroyed.Recipient, c.KeyDestroyed.Scenario, "key "+c.KeyDestroyed.Key
	case c.Job != nil:
		e.Party, e.Scenario, e.Query, e.Rule = c.Job.Party, c.Job.Scenario, c.Job.Mask, c.Job.Rule
		if j := r.job(c.Job.ID); j != nil {
			e.Party, e.Scenario, e.Query = j.Party, j.Scenario, j.Mask
		}
	}
}
