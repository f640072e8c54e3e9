package job

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yumen-project/yumen/compute"
	"github.com/yumen-project/yumen/compute/dp"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
)

// privateAnswer is a noisy table as the log stores it: drawn once, paid once, given to whoever may ask.
type privateAnswer struct {
	Table      release.Table `json:"table"`
	Tau        int64         `json:"tau"`
	Rho, Delta int64
	Least      int64 `json:"least"`
}

// privateTick is the grid on which private tables are answered, so that the time of an answer tells
// nothing of the data beyond the tick.
const privateTick = 250 * time.Millisecond

// private answers a registered private table. One canonical query has one stored answer for a dataset
// version and budget epoch: aliases, reordered measures and repeats get the same noise, for one charge
// of the dataset's budget. The spend is durable before the caller's own answer is even prepared.
func (r *Runner) private(ctx context.Context, w *question, hold *ledger.Hold) (*release.Candidate, *governance.Refusal, error) {
	plan, err := r.privatePlan(ctx, w.decision)
	if err != nil {
		return nil, nil, err
	}
	answer, index, refusal, err := r.privateAnswer(ctx, w, plan)
	if refusal != nil || err != nil {
		return nil, refusal, err
	}
	if err := r.tick(ctx); err != nil {
		return nil, nil, err
	}
	f := r.facts(w)
	f.Technique = privateTechnique(w.decision.Table, plan)
	f.Budget = r.unitBudget(w)
	ev := release.Evidence{Registered: true, Private: &release.PrivateEvidence{
		Tau: answer.Tau, Rho: answer.Rho, Delta: answer.Delta, Spent: index, Least: answer.Least,
	}}
	c, err := release.Prepare(f, renamed(answer.Table, w.decision.Table), ev, w.rows, hold)
	return c, nil, err
}

// tick waits for the next point of the grid.
func (r *Runner) tick(ctx context.Context) error {
	now := r.o.Clock()
	wait := now.Truncate(privateTick).Add(privateTick).Sub(now)
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Runner) privatePlan(ctx context.Context, d *governance.Decision) (*dp.Plan, error) {
	source, err := r.o.Source(d.Dataset)
	if err != nil {
		return nil, err
	}
	about, err := source.Describe(ctx)
	if err != nil {
		return nil, err
	}
	table := privateTable(d.Dataset, canonicalTable(d.Table))
	table.Canon = canonicaliser(d.Dataset)
	return dp.NewPlan(table, about.Schema)
}

// canonicalTable brings a table into the one form of all that ask the same: groups, measures and
// public keys in order. Its id is not part of it.
func canonicalTable(t *governance.Table) *governance.Table {
	c := *t
	c.ID = ""
	c.GroupBy = slices.Sorted(slices.Values(t.GroupBy))
	c.Measures = slices.Clone(t.Measures)
	slices.SortFunc(c.Measures, func(a, b governance.Measure) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Field, b.Field))
	})
	p := *t.Privacy
	p.Keys = slices.Clone(p.Keys)
	for i := range p.Keys {
		p.Keys[i].Public = slices.Sorted(slices.Values(p.Keys[i].Public))
	}
	slices.SortFunc(p.Keys, func(a, b governance.Keys) int { return cmp.Compare(a.Field, b.Field) })
	c.Privacy = &p
	return &c
}

// answerKey names the one stored answer of a canonical query: it lapses with the dataset version.
func answerKey(d *governance.Dataset, t *governance.Table) (ledger.Scope, error) {
	text, err := json.Marshal(canonicalTable(t))
	if err != nil {
		return ledger.Scope{}, fmt.Errorf("encode query: %w", err)
	}
	return scopeOf("private", d.ID, d.Version, strconv.Itoa(budgetOf(d).epoch), string(text)), nil
}

type privacyBudget struct {
	epoch               int
	rho, delta, unitRho int64
}

// budgetOf is the dataset's budget, or the default: epsilon 2 at delta 1e-6 for all units together,
// half of it for any one.
func budgetOf(d *governance.Dataset) privacyBudget {
	if b := d.Budget; b != nil {
		return privacyBudget{b.Epoch, governance.RhoUnits(b.Rho), governance.DeltaUnits(b.Delta), governance.RhoUnits(b.UnitRho)}
	}
	return privacyBudget{1, int64(dp.DefaultRho), int64(dp.DefaultDelta), int64(dp.DefaultRho) / 2}
}

func unitRhoAccount(d *governance.Decision) ledger.Account {
	b := budgetOf(d.Dataset)
	return ledger.Account{Kind: ledger.UnitRho, Scope: scopeOf("rho", d.Dataset.ID, strconv.Itoa(b.epoch), d.Unit.Party)}
}

func privateCharges(d *governance.Decision, cost dp.Budget) []ledger.Limited {
	b := budgetOf(d.Dataset)
	all := scopeOf("rho", d.Dataset.ID, strconv.Itoa(b.epoch))
	out := []ledger.Limited{
		limited(ledger.PrivacyRho, all, 0, int64(cost.Rho), b.rho),
		{Charge: ledger.Charge{Account: unitRhoAccount(d), Amount: int64(cost.Rho)}, Limit: b.unitRho},
	}
	if cost.Delta > 0 {
		out = append(out, limited(ledger.PrivacyDelta, all, 0, int64(cost.Delta), b.delta))
	}
	return out
}

// unitBudget shows what the caller has caused so far; answers that others paid for cost it nothing.
func (r *Runner) unitBudget(w *question) *receipt.Budget {
	spent := r.ledger.Spent(unitRhoAccount(w.decision))
	return &receipt.Budget{
		Name: "privacy of dataset, rho 1e-9", Before: w.rhoBefore, After: spent,
		Limit: budgetOf(w.decision.Dataset).unitRho, Global: receipt.GlobalWithinCap,
	}
}

var privateAAD = []byte("yumen/private-answer/v1")

// privateAnswer gives the stored answer of the canonical query, or makes it: reserve the budget, bound
// contributions, draw noise, write the frame. From then on the answer is what the log says.
func (r *Runner) privateAnswer(ctx context.Context, w *question, plan *dp.Plan) (*privateAnswer, uint64, *governance.Refusal, error) {
	key, err := answerKey(w.decision.Dataset, w.decision.Table)
	if err != nil {
		return nil, 0, nil, err
	}
	w.rhoBefore = r.ledger.Spent(unitRhoAccount(w.decision))
	idem := &ledger.Idem{Key: [16]byte(key), Request: [16]byte(key), Time: ledger.Forever}
	hold, err := r.ledger.Hold(ctx, w.now, idem, privateCharges(w.decision, plan.Cost()))
	var stored *ledger.Stored
	var exhausted *ledger.Exhausted
	switch {
	case errors.As(err, &stored):
		answer, err := r.storedAnswer(ctx, stored.Index)
		return answer, stored.Index, nil, err
	case errors.As(err, &exhausted):
		return nil, 0, w.state.policy.Refuse(governance.PrivacyExhausted), nil
	case err != nil:
		return nil, 0, nil, err
	}
	answer, index, err := r.makeAnswer(ctx, w, plan, hold)
	return answer, index, nil, err
}

func (r *Runner) makeAnswer(ctx context.Context, w *question, plan *dp.Plan, hold *ledger.Hold) (*privateAnswer, uint64, error) {
	answer, err := r.drawAnswer(ctx, w.decision, plan)
	if err != nil {
		hold.Cancel()
		return nil, 0, err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		hold.Cancel()
		return nil, 0, fmt.Errorf("encode private answer: %w", err)
	}
	body, err := r.seal.Seal(nil, privateAAD, text)
	if err != nil {
		hold.Cancel()
		return nil, 0, fmt.Errorf("seal private answer: %w", err)
	}
	hold.Record.Serial, hold.Record.Body = 0, body
	private, err := hold.Record.AppendTo(nil)
	if err != nil {
		hold.Cancel()
		return nil, 0, err
	}
	var nonce receipt.Nonce
	if _, err := r.o.Rand.Read(nonce[:]); err != nil {
		hold.Cancel()
		return nil, 0, fmt.Errorf("draw nonce: %w", err)
	}
	appended, err := r.log.Append(ctx, audit.Record{
		Kind: audit.Outcome, Time: w.now, Statement: receipt.Commit("private-answer", &nonce, text), Private: private, Hint: hold,
	})
	if err != nil {
		return nil, 0, err
	}
	return answer, appended.Index, nil
}

func (r *Runner) drawAnswer(ctx context.Context, d *governance.Decision, plan *dp.Plan) (*privateAnswer, error) {
	source, err := r.o.Source(d.Dataset)
	if err != nil {
		return nil, err
	}
	reader, err := source.Open(ctx, connectors.Scan{Columns: plan.Columns()})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	bounded, err := plan.Bound(ctx, reader, r.subjects.Sum(nil, []byte("contributions"), []byte(d.Dataset.ID)))
	if err != nil {
		return nil, err
	}
	for _, s := range plan.Scales() {
		if err := r.noise.Register(s); err != nil {
			return nil, err
		}
	}
	noisy, err := dp.Release(ctx, bounded, r.noise)
	if err != nil {
		return nil, err
	}
	return answerOf(noisy, canonicalTable(d.Table)), nil
}

func (r *Runner) storedAnswer(ctx context.Context, index uint64) (*privateAnswer, error) {
	frame, err := r.log.Frame(ctx, index)
	if err != nil {
		return nil, err
	}
	record, err := ledger.ParseRecord(frame.Private)
	if err != nil {
		return nil, err
	}
	text, err := r.seal.Open(nil, privateAAD, record.Body)
	if err != nil {
		return nil, fmt.Errorf("open private answer: %w", err)
	}
	answer := &privateAnswer{}
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, fmt.Errorf("decode private answer: %w", err)
	}
	return answer, nil
}

// answerOf renders a noisy table in the canonical order of groups and measures.
func answerOf(p *dp.Private, t *governance.Table) *privateAnswer {
	out := &privateAnswer{Tau: p.Tau, Rho: int64(p.Cost.Rho), Delta: int64(p.Cost.Delta)}
	out.Table = release.Table{Private: true, GroupBy: p.GroupBy, Measures: []string{"subjects"}}
	for _, m := range t.Measures {
		out.Table.Measures = append(out.Table.Measures, measureName(&m))
	}
	for i, c := range p.Cells {
		if i == 0 || c.Subjects < out.Least {
			out.Least = c.Subjects
		}
		cell := release.Cell{Keys: release.ShownKeys(c.Keys), Values: []string{strconv.FormatInt(c.Subjects, 10)}}
		for _, f := range c.Figures {
			cell.Values = append(cell.Values, figureText(&f))
		}
		out.Table.Cells = append(out.Table.Cells, cell)
	}
	return out
}

func figureText(f *dp.Figure) string {
	if f.Counts == nil {
		return f.Text
	}
	parts := make([]string, len(f.Counts))
	for i, n := range f.Counts {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, " ")
}

func measureName(m *governance.Measure) string {
	if m.Field == "" {
		return m.Kind
	}
	return m.Kind + "(" + m.Field + ")"
}

// renamed gives the stored table in the order in which this table was registered.
func renamed(stored release.Table, t *governance.Table) release.Table {
	groups := make([]int, len(t.GroupBy))
	for i, g := range t.GroupBy {
		groups[i] = slices.Index(stored.GroupBy, g)
	}
	measures := []int{0}
	for i := range t.Measures {
		measures = append(measures, slices.Index(stored.Measures, measureName(&t.Measures[i])))
	}
	out := release.Table{Private: true, GroupBy: pick(stored.GroupBy, groups), Measures: pick(stored.Measures, measures)}
	for _, c := range stored.Cells {
		out.Cells = append(out.Cells, release.Cell{Keys: pick(c.Keys, groups), Values: pick(c.Values, measures)})
	}
	slices.SortFunc(out.Cells, func(a, b release.Cell) int { return slices.Compare(a.Keys, b.Keys) })
	return out
}

func pick(from []string, at []int) []string {
	out := make([]string, len(at))
	for i, n := range at {
		if n >= 0 && n < len(from) {
			out[i] = from[n]
		}
	}
	return out
}

// privateTable turns a registered table into what compute/dp plans; governance has checked its forms.
func privateTable(d *governance.Dataset, t *governance.Table) dp.Table {
	p := t.Privacy
	out := dp.Table{
		Subject: d.Subject.Field, MaxGroups: p.MaxGroups, MaxRecords: p.MaxRecords, Mechanism: dp.LaplaceNoise,
		Rho: dp.Rho(governance.RhoUnits(p.Rho)), Tau: int64(p.Tau), Delta: dp.Delta(governance.DeltaUnits(p.Delta)),
	}
	if p.Mechanism == "gaussian" {
		out.Mechanism = dp.GaussianNoise
	}
	for _, name := range t.GroupBy {
		g := dp.Group{Field: name}
		for _, k := range p.Keys {
			if k.Field != name {
				continue
			}
			for _, key := range k.Public {
				g.Public = append(g.Public, compute.TextKey(key))
			}
		}
		out.Groups = append(out.Groups, g)
	}
	for i := range t.Measures {
		out.Measures = append(out.Measures, privateMeasure(d, &t.Measures[i]))
	}
	return out
}

func privateMeasure(d *governance.Dataset, m *governance.Measure) dp.Measure {
	out := dp.Measure{Kind: compute.MeasureKind(m.Kind), Field: m.Field, Rho: dp.Rho(governance.RhoUnits(m.Rho))}
	f := d.FieldNamed(m.Field)
	if f == nil {
		return out
	}
	value := func(s string) int64 {
		v, _ := governance.DecimalUnits(s, f.Scale())
		return v
	}
	if m.Low != "" || m.High != "" {
		out.Low, out.High = value(m.Low), value(m.High)
		out.Unit = granule(out.Low, out.High)
	}
	for _, b := range m.Bands {
		out.Bands = append(out.Bands, value(b))
	}
	for _, q := range m.Quantiles {
		if v, ok := governance.DecimalUnits(q, 6); ok && v > 0 {
			out.Quantiles = append(out.Quantiles, dp.Rat{Num: uint64(v), Den: 1_000_000})
		}
	}
	return out
}

// maxGranules is how finely a range is divided at most: finer is lost in the noise anyway, and coarser
// granules keep the exact samplers within their range.
const maxGranules = 1_000_000

// granule is the least power of ten of the field's last digit that divides both bounds and leaves at
// most maxGranules between them.
func granule(low, high int64) int64 {
	unit := int64(1)
	for (high-low)/unit > maxGranules && low%(unit*10) == 0 && high%(unit*10) == 0 {
		unit *= 10
	}
	return unit
}

func privateTechnique(t *governance.Table, plan *dp.Plan) receipt.Technique {
	cost := plan.Cost()
	params := map[string]string{
		"mechanism": "discrete " + t.Privacy.Mechanism, "rho_1e-9": strconv.FormatInt(int64(cost.Rho), 10),
		"delta_1e-12": strconv.FormatInt(int64(cost.Delta), 10), "tau": strconv.FormatInt(plan.Tau(), 10),
		"max_groups": strconv.Itoa(t.Privacy.MaxGroups), "max_records": strconv.Itoa(t.Privacy.MaxRecords),
	}
	if eps, err := cost.Epsilon(dp.DefaultDelta); err == nil {
		params["epsilon_1e-6_at_delta_1e-6"] = strconv.FormatInt(int64(eps), 10)
	}
	return receipt.Technique{Name: "differential privacy", Params: params}
}
