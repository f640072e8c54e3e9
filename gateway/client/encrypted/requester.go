package encrypted

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"time"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/threshold"
	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/encrypted/wire"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/receipt"
)

var (
	// ErrReceipt: the receipt does not hold, or is of another plan. Nothing was opened;
	// tell the authority.
	ErrReceipt = errors.New("encrypted: receipt does not hold")
	// ErrAnswer: an answer is not its holder's, or not of this plan.
	ErrAnswer = errors.New("encrypted: answer refused")
)

// RefusedError: the query will not be answered. Rule says why; ask otherwise.
type RefusedError struct{ Rule string }

func (e *RefusedError) Error() string { return "encrypted: query refused by rule " + e.Rule }

// Opener is an envelope key.
type Opener interface {
	Public() keyring.PublicKey
	OpenEnvelope(aad, sealed []byte) ([]byte, error)
}

// Requester asks encrypted aggregates as one party; all fields but Progress are
// required.
type Requester struct {
	Gateway  *Gateway
	Parties  *Parties
	Params   Parameters
	Receipts *receipt.TrustSet
	Party    string
	Request  keyring.Signer
	Envelope Opener
	Clock    func() time.Time
	// Progress, if set, is told each new state of the plan.
	Progress func(state string, approvals, answers int)
}

// Outcome is a result with everything that shows it.
type Outcome struct {
	Query  [32]byte
	Plan   *plan.Plan
	Result *plan.Result
	// Receipt and ResultFile are the files of the receipt, verified.
	Receipt, ResultFile []byte
	Serial              string
	// Holders whose shares made the numbers.
	Holders []string
	// Cheaters answered falsely, or may have; the numbers were made without them.
	Cheaters []string
}

// Ask signs and hands in a query, waits for its release and for enough holders, and
// combines. It may be repeated with the same query: the answer is the same and
// charged once.
func (r *Requester) Ask(ctx context.Context, q *plan.Query) (*Outcome, error) {
	msg, err := q.SigningBytes()
	if err != nil {
		return nil, err
	}
	if q.Signature, err = r.Request.Sign(msg); err != nil {
		return nil, err
	}
	b, err := q.Bytes()
	if err != nil {
		return nil, err
	}
	hash, err := q.Hash()
	if err != nil {
		return nil, err
	}
	name, err := r.Gateway.Put(ctx, apiv1.ObjectKind_OBJECT_KIND_QUERY, b)
	if err != nil {
		return nil, err
	}
	if name != hash {
		return nil, fmt.Errorf("put query: %w", ErrForeign)
	}
	return r.Follow(ctx, q)
}

// Follow waits for the answer to a query that was handed in before.
func (r *Requester) Follow(ctx context.Context, q *plan.Query) (*Outcome, error) {
	hash, err := q.Hash()
	if err != nil {
		return nil, err
	}
	var c *combination
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		out, err := r.Gateway.Result(ctx, hash)
		if err != nil {
			return nil, err
		}
		if r.Progress != nil {
			r.Progress(out.GetState(), int(out.GetApprovals()), len(out.GetAnswers()))
		}
		if out.GetReceipt() != nil {
			if c == nil {
				if c, err = r.begin(ctx, q, out.GetReceipt()); err != nil {
					return nil, err
				}
			}
			done, err := c.take(ctx, out.GetAnswers())
			if err != nil || done != nil {
				return done, err
			}
		} else if out.GetState() == "refused" || out.GetState() == "ended" {
			return nil, &RefusedError{out.GetRule()}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Result asks what became of a query.
func (g *Gateway) Result(ctx context.Context, query [32]byte) (*apiv1.ResultResponse, error) {
	return g.calls.Result(ctx, &apiv1.ResultRequest{Query: query[:]})
}

// combination collects answers to a released plan.
type combination struct {
	r        *Requester
	out      *Outcome
	params   *he.Parameters
	cert     *ceremony.KeyCert // of the first key; all name the same holders
	sharing  threshold.Sharing
	openings []*he.Opening
	list     [32]byte
	taken    map[[32]byte]bool
	answers  map[int][]threshold.Answer
	bad      map[int]bool
}

// begin verifies the receipt and everything that the answers will be read with.
func (r *Requester) begin(ctx context.Context, q *plan.Query, files *apiv1.Receipt) (*combination, error) {
	c := &combination{r: r, taken: map[[32]byte]bool{}, answers: map[int][]threshold.Answer{}, bad: map[int]bool{},
		out: &Outcome{Receipt: files.GetReceipt(), ResultFile: files.GetResult()}}
	var err error
	if c.out.Query, err = q.Hash(); err != nil {
		return nil, err
	}
	of, err := r.receipted(q, c.out)
	if err != nil {
		return nil, err
	}
	c.list = of.Openings
	if c.out.Plan, err = r.Gateway.Plan(ctx, of.Plan); err != nil {
		return nil, err
	}
	p := c.out.Plan
	if p.Query != c.out.Query || p.Requester != r.Party {
		return nil, fmt.Errorf("%w: plan of another query", ErrReceipt)
	}
	if c.params = r.Params[p.Parameters]; c.params == nil {
		return nil, fmt.Errorf("plan: parameters: %w", ErrTrust)
	}
	for _, k := range p.Keys {
		cert, err := r.Gateway.Cert(ctx, k.Key)
		if err != nil {
			return nil, err
		}
		if err := r.Parties.VerifyCert(cert, r.Params, r.Clock()); err != nil {
			return nil, err
		}
		c.cert = cert
	}
	if p.Opens() == 0 {
		return c, nil
	}
	if c.cert == nil {
		return nil, fmt.Errorf("plan without keys: %w", ErrForeign)
	}
	if c.sharing, err = c.cert.Sharing(); err != nil {
		return nil, err
	}
	if c.openings, err = r.Gateway.Openings(ctx, c.params, c.list); err != nil {
		return nil, err
	}
	if len(c.openings) != p.Opens()*c.params.Limbs() {
		return nil, fmt.Errorf("%w: number of openings", ErrForeign)
	}
	return c, nil
}

// released is what a receipt of an encrypted aggregate commits to.
type released struct{ Query, Plan, Openings digest }

// digest is 32 bytes, in text as hex.
type digest [32]byte

// UnmarshalText reads hex.
func (d *digest) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return ErrReceipt
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// receipted verifies the receipt and reads which plan it is of.
func (r *Requester) receipted(q *plan.Query, out *Outcome) (*released, error) {
	if report := receipt.Verify(out.Receipt, out.ResultFile, r.Receipts, r.Clock()); !report.OK() {
		return nil, fmt.Errorf("%w: claim %q", ErrReceipt, report.Failed())
	}
	parts, err := receipt.ParseReceipt(out.Receipt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	s, err := receipt.ParseStatement(parts.Statement)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	if s.Kind != receipt.KindEncrypted || s.Party != r.Party || s.Scenario != q.Scenario || s.Query != q.Aggregate {
		return nil, fmt.Errorf("%w: statement of another question", ErrReceipt)
	}
	out.Serial = s.Serial
	of, rows, whole := &released{}, 0, true
	err = receipt.Values(out.ResultFile, func(_, result []byte) {
		rows++
		whole = whole && json.Unmarshal(result, of) == nil
	})
	if err != nil || rows != 1 || !whole || [32]byte(of.Query) != out.Query {
		return nil, fmt.Errorf("%w: result of another query", ErrReceipt)
	}
	return of, nil
}

// take reads new answers and combines once they suffice; nil: wait for more.
func (c *combination) take(ctx context.Context, names [][]byte) (*Outcome, error) {
	if c.out.Plan.Opens() == 0 {
		return c.finish(nil)
	}
	for _, n := range names {
		hash, err := hashOf(n)
		if err != nil {
			return nil, err
		}
		if c.taken[hash] {
			continue
		}
		c.taken[hash] = true
		a, err := c.r.Gateway.Answer(ctx, hash)
		if err != nil {
			return nil, err
		}
		if err := c.open(a); err != nil {
			return nil, err
		}
	}
	return c.combine()
}

// open verifies and opens one answer. A holder whose signed answer does not open is
// noted; what the gateway may have made up is an error.
func (c *combination) open(a *wire.Answer) error {
	planHash, err := c.out.Plan.Hash()
	if err != nil {
		return err
	}
	msg, err := a.SigningBytes()
	if err != nil {
		return err
	}
	point := c.cert.Point(a.Holder)
	if a.Query != c.out.Query || a.Plan != planHash || a.Openings != c.list || point == 0 || !c.r.Parties.VerifyAgent(a.Holder, msg, a.Signature) {
		return fmt.Errorf("%w: not of a holder of this plan", ErrAnswer)
	}
	plain, err := c.r.Envelope.OpenEnvelope(a.Context(), a.Sealed)
	if err != nil {
		c.bad[point] = true
		return nil //nolint:nilerr // the holder signed it: it is noted, and the others are asked
	}
	parts, err := threshold.ParseAnswers(c.params, c.sharing, point, c.list, len(c.openings), plain)
	if err != nil {
		c.bad[point] = true
		return nil //nolint:nilerr // likewise
	}
	c.answers[point] = parts
	return nil
}

// combine tries with all answers that are not known to be false. With a threshold of
// them each component may have been answered once alone: a false part then shows only
// if the number leaves its proven range or contradicts others, and a further holder is
// waited for.
func (c *combination) combine() (*Outcome, error) {
	for {
		var points []int
		good := map[int][]threshold.Answer{}
		for point, parts := range c.answers {
			if !c.bad[point] {
				points, good[point] = append(points, point), parts
			}
		}
		if !c.sharing.Sufficient(points) {
			return nil, nil //nolint:nilnil // wait for more
		}
		values, err := threshold.Combine(c.params, c.sharing, c.openings, good, c.out.Plan.Bounds())
		var differ *threshold.DisagreementError
		if errors.As(err, &differ) && differ.Certain {
			for _, point := range differ.Holders {
				c.bad[point] = true
			}
			continue
		}
		if differ != nil && c.single(good, differ.Holders) {
			continue
		}
		var out *Outcome
		if err == nil {
			out, err = c.finish(values)
		}
		if err != nil && len(points) < c.sharing.Holders()-len(c.bad) {
			return nil, nil //nolint:nilnil // somebody answered falsely: a further holder shows who
		}
		if err != nil {
			return nil, c.blame(err)
		}
		return out, nil
	}
}

// single finds the one among suspects without whom the others agree on a number that
// the plan allows, once all have answered.
func (c *combination) single(good map[int][]threshold.Answer, suspects []int) bool {
	if len(good)+len(c.bad) < c.sharing.Holders() {
		return false
	}
	var found []int
	for _, h := range suspects {
		rest := maps.Clone(good)
		delete(rest, h)
		values, err := threshold.Combine(c.params, c.sharing, c.openings, rest, c.out.Plan.Bounds())
		if err != nil {
			continue
		}
		if _, err := plan.Finish(c.out.Plan, values); err == nil {
			found = append(found, h)
		}
	}
	if len(found) != 1 {
		return false
	}
	c.bad[found[0]] = true
	return true
}

// blame names the holders of a disagreement.
func (c *combination) blame(err error) error {
	var differ *threshold.DisagreementError
	if !errors.As(err, &differ) {
		return err
	}
	return fmt.Errorf("%w: holders %q contradict each other", err, c.names(differ.Holders))
}

func (c *combination) names(points []int) []string {
	var list []string
	for _, p := range points {
		list = append(list, c.cert.Holders[p-1].Name)
	}
	return list
}

func (c *combination) finish(values []*big.Int) (*Outcome, error) {
	var err error
	if c.out.Result, err = plan.Finish(c.out.Plan, values); err != nil {
		return nil, err
	}
	for point := 1; c.cert != nil && point <= len(c.cert.Holders); point++ {
		switch {
		case c.bad[point]:
			c.out.Cheaters = append(c.out.Cheaters, c.cert.Holders[point-1].Name)
		case c.answers[point] != nil:
			c.out.Holders = append(c.out.Holders, c.cert.Holders[point-1].Name)
		}
	}
	return c.out, nil
}
