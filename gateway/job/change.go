package job

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// change is the private body of every frame that is not a release or a refusal. Exactly one part is set.
type change struct {
	Domain     *domainChange          `json:"domain,omitempty"`
	Suspension *governance.Suspension `json:"suspension,omitempty"`
	Registered *registration          `json:"registered,omitempty"`
	Table      *pattern               `json:"table,omitempty"`
	Job        *jobChange             `json:"job,omitempty"`
	Report     *signedReport          `json:"report,omitempty"`
	Genesis    *genesis               `json:"genesis,omitempty"`

	KeyDestroyed *keyDestroyed `json:"key_destroyed,omitempty"`
}

type genesis struct {
	Domain string `json:"domain"`
	Trust  string `json:"trust"`
}

// domainChange is the whole of a domain file and its approvals, as they were sent.
type domainChange struct {
	By        string `json:"by"`
	File      []byte `json:"file"`
	Approvals []byte `json:"approvals,omitempty"`
}

// past is a change as the log keeps it: enough to make the state again.
type past struct {
	Index uint64     `json:"index"`
	Kind  audit.Kind `json:"kind"`
	Time  int64      `json:"time"`
	Body  []byte     `json:"body"`
}

var changeAAD = []byte("yumen/change/v1")

// sealChange makes the record of a change. Domain files name subjects of consents, so all are sealed.
func (r *Runner) sealChange(c *change) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode change: %w", err)
	}
	body, err := r.seal.Seal(nil, changeAAD, text)
	if err != nil {
		return nil, fmt.Errorf("seal change: %w", err)
	}
	return (&ledger.Record{Body: body}).AppendTo(nil)
}

func (r *Runner) openChange(body []byte) (*change, error) {
	text, err := r.seal.Open(nil, changeAAD, body)
	if err != nil {
		return nil, fmt.Errorf("open change: %w", err)
	}
	c := &change{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("decode change: %w", err)
	}
	return c, nil
}

// domain is everything the log says beside the ledger. Its own writer is apply, in log order.
type domain struct {
	policy     *governance.Policy
	registered map[string]*registration
	patterns   map[string][]*pattern // by dataset: those of one version on one data, in the order of the log
	jobs       map[string]*jobRecord
	attacked   map[string]int32 // by dataset: day of the newest attack on its tables
	destroyed  map[string]bool  // names in the ring of keys of masked tables that are no more
	history    []past
}

func newDomain() *domain {
	return &domain{policy: &governance.Policy{}, registered: map[string]*registration{}, patterns: map[string][]*pattern{}, jobs: map[string]*jobRecord{}, attacked: map[string]int32{}}
}

// take makes a change part of the domain. at is the time of its frame.
func (d *domain) take(c *change, at int64) error {
	when := time.UnixMilli(at)
	switch {
	case c.Domain != nil:
		next, err := nextPolicy(d.policy, c.Domain, when)
		if err != nil {
			return err
		}
		d.policy = next
	case c.Suspension != nil:
		next, err := d.policy.WithSuspension(*c.Suspension)
		if err != nil {
			return err
		}
		d.policy = next
	case c.Registered != nil:
		d.registered[c.Registered.Dataset] = c.Registered
	case c.Table != nil:
		d.takePattern(c.Table)
	case c.Report != nil && c.Report.Act == actReconstruction:
		d.attacked[c.Report.Dataset] = ledger.Day(at)
	case c.KeyDestroyed != nil:
		d.takeDestroyed(c.KeyDestroyed)
	case c.Job != nil:
		d.jobs[c.Job.ID] = d.jobs[c.Job.ID].with(c.Job, at)
	}
	return nil
}

func nextPolicy(prev *governance.Policy, c *domainChange, at time.Time) (*governance.Policy, error) {
	parsed, err := governance.ParseDomain(c.File)
	if err != nil {
		return nil, err
	}
	var approvals []governance.Approval
	if len(c.Approvals) > 0 {
		if approvals, err = governance.ParseApprovals(c.Approvals); err != nil {
			return nil, err
		}
	}
	if prev.Domain() == nil {
		prev = nil
	}
	return governance.NewPolicy(prev, parsed, approvals, at)
}
