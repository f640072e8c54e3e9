package release

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/receipt"
)

var (
	// ErrPermit: the permit is not this gate's. A fault of the caller.
	ErrPermit = errors.New("release: permit was not granted by this gate")
	// ErrSpent: the permit was redeemed before. Nothing leaves a second time.
	ErrSpent = errors.New("release: permit already redeemed")
	// ErrAltered: the candidate is not what was prepared and judged.
	ErrAltered = errors.New("release: candidate changed after assessment")
)

// log is what the gate needs of the audit log.
type log interface {
	Append(ctx context.Context, r audit.Record) (*audit.Appended, error)
	Frame(ctx context.Context, index uint64) (audit.Frame, error)
	Prove(ctx context.Context, index uint64) (*audit.Appended, error)
}

// sealer protects stored results at rest.
type sealer interface {
	Seal(dst, aad, plain []byte) ([]byte, error)
	Open(dst, aad, sealed []byte) ([]byte, error)
}

// Options of a gate; every field is required.
type Options struct {
	Domain string
	Log    log
	Seal   sealer
	Rules  []Rule
	// Policy returns the policy in force now.
	Policy func() *governance.Policy
	// Now is the later of the clock and the log, Unix milliseconds.
	Now   func() int64
	Rand  io.Reader
	Trust [32]byte
	Build string
}

// Gate judges candidates and lets out what passed.
type Gate struct {
	o      Options
	trust  string
	drafts atomic.Pointer[drafts]
	quoted atomic.Pointer[quoted]
	spaces sync.Pool
	flood  flood
}

// NewGate checks that nothing is missing: a gate without a rule would let everything pass.
func NewGate(o Options) (*Gate, error) {
	if o.Domain == "" || o.Log == nil || o.Seal == nil || len(o.Rules) == 0 || o.Policy == nil || o.Now == nil || o.Rand == nil || o.Build == "" {
		return nil, errors.New("release: gate options incomplete")
	}
	return &Gate{o: o, trust: hex.EncodeToString(o.Trust[:])}, nil
}

// Permit lets one candidate pass once.
type Permit struct {
	gate      *Gate
	candidate *Candidate
	report    *Report
	spent     atomic.Bool
}

// Assess runs every rule on c and alters nothing. The permit is nil if any rule failed; an error
// means that a rule could not judge, ErrAltered that the body is not what was prepared.
func (g *Gate) Assess(ctx context.Context, c *Candidate) (*Report, *Permit, error) {
	if !c.intact() {
		return nil, nil, ErrAltered
	}
	j := &judged{}
	report := &j.report
	report.Findings = j.space[:0]
	for _, r := range g.o.Rules {
		f, err := r.Check(ctx, c)
		if err != nil {
			return nil, nil, fmt.Errorf("rule %s: %w", r.ID(), err)
		}
		report.Findings = append(report.Findings, f...)
	}
	if report.Failed() != nil || len(report.Findings) == 0 {
		return report, nil, nil
	}
	j.permit.gate, j.permit.candidate, j.permit.report = g, c, report
	return report, &j.permit, nil
}

// judged is a report and its permit in one piece, with room for the findings of a verification: most
// rules concern other forms.
type judged struct {
	report Report
	permit Permit
	space  [6]Finding
}

// Redeem lets the candidate out, at most once: it decides again under the policy in force, writes
// spend and audit as one frame, and returns the release when the frame is durable and proved.
// A *governance.Refusal means that the policy changed its mind; the hold is the caller's to cancel.
// Any other error after the frame was handed to the log leaves the spend where it is.
func (g *Gate) Redeem(ctx context.Context, p *Permit) (*Release, error) {
	if p == nil || p.gate != g {
		return nil, ErrPermit
	}
	if !p.spent.CompareAndSwap(false, true) {
		return nil, ErrSpent
	}
	c := p.candidate
	if !c.intact() {
		return nil, ErrAltered
	}
	now := g.o.Now()
	policy, err := g.stillAllowed(c, now)
	if err != nil {
		return nil, err
	}
	out, err := g.open(c)
	if err != nil {
		return nil, err
	}
	space := g.space()
	st, err := g.state(space, c, p.report, policy, out, now)
	if err != nil {
		return nil, err
	}
	appended, err := g.spend(ctx, space, c, out, st, now)
	if err != nil {
		return nil, err // the log may still read the space
	}
	rel, err := g.release(c, out, st, appended)
	if cap(space.private) <= mostSpace {
		g.spaces.Put(space)
	}
	return rel, err
}

// stillAllowed asks the policy of this moment, so that a suspension stops what is already running, and
// settings tightened meanwhile stop what was judged by looser ones.
func (g *Gate) stillAllowed(c *Candidate, now int64) (*governance.Policy, error) {
	policy := g.o.Policy()
	ask := *c.facts.Ask
	ask.At = time.UnixMilli(now)
	if _, refusal := policy.Decide(&ask); refusal != nil {
		return nil, refusal
	}
	judged := c.facts.Decision.Policy
	if judged != policy && !judged.Settings().Within(policy.Settings()) {
		return nil, policy.Refuse(governance.SettingsChanged)
	}
	return policy, nil
}

// spend writes the frame: the statement, and as private record the hold's charges, then the body.
func (g *Gate) spend(ctx context.Context, space *space, c *Candidate, o *opening, st *stated, now int64) (*audit.Appended, error) {
	hash := st.Hash()
	private, err := c.hold.Record.AppendTo(space.private[:0])
	if err != nil {
		return nil, err
	}
	if private, err = g.appendBody(private, c, o, &hash); err != nil {
		return nil, err
	}
	space.private = private
	return g.o.Log.Append(ctx, audit.Record{
		Kind: audit.Release, Time: now, Statement: hash, Stated: st.Stated, Private: private, Hint: c.hold,
	})
}

// space is where a frame is written. The log reads it until Append returned without error; only then
// may another frame use it.
type space struct{ text, private []byte }

// mostSpace is the largest that is kept.
const mostSpace = 64 << 10

func (g *Gate) space() *space {
	if s, ok := g.spaces.Get().(*space); ok {
		return s
	}
	return &space{text: make([]byte, 0, 2048), private: make([]byte, 0, 512)}
}

// Serial writes a running number as YM-YYYYMMDD-NNNNNNNNNNNN, of one length for every answer.
func Serial(now int64, n uint64) string {
	day := time.UnixMilli(now).In(time.FixedZone("", 8*3600))
	b := make([]byte, 0, 24)
	b = append(b, "YM-"...)
	b = day.AppendFormat(b, "20060102")
	b = append(b, '-')
	digits := strconv.FormatUint(n, 10)
	for range 12 - len(digits) {
		b = append(b, '0')
	}
	return string(append(b, digits...))
}

func (f Form) kind() string {
	switch f {
	case FormAnswer:
		return receipt.KindVerify
	case FormBatch:
		return receipt.KindBatch
	case FormExactTable, FormPrivateTable:
		return receipt.KindTable
	case FormEncrypted:
		return receipt.KindEncrypted
	default:
		return receipt.KindMasked
	}
}
