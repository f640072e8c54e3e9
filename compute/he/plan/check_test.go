package plan_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/compute/he/plan"
)

// city is a signed dataset of value and bucketed lanes over the same rows.
type city struct {
	keys     *keys
	store    *store
	manifest *plan.Manifest
}

func newCity(t testing.TB) *city {
	c := &city{keys: newKeys(t, smallParams(t, false), "people"), store: newStore()}
	c.manifest = build(t, c.store, peopleSpec(c.keys), table(t, people, rowsOf(t, crowd(500))), c.keys)
	return c
}

func (c *city) evidence() plan.Evidence {
	return plan.Evidence{Manifests: []*plan.Manifest{c.manifest}, Certs: []plan.Cert{c.keys.cert}}
}

func (c *city) compile(t testing.TB, q *plan.Query) *plan.Plan {
	p, err := plan.Compile(q, []*plan.Manifest{c.manifest}, []plan.Cert{c.keys.cert})
	require.NoError(t, err)
	return p
}

var holder = plan.Policy{Now: now + 10}

func TestCheckAcceptsWhatTheQueryCompilesTo(t *testing.T) {
	c := newCity(t)
	q := ask(plan.GroupSum, col("bysex", "income"))
	policy := plan.Policy{Now: now, Requesters: []string{"bank"}, Aggregates: []string{"a1"}, Scenarios: []string{"s1"}}
	require.NoError(t, plan.Check(c.compile(t, q), q, c.evidence(), policy))
	for _, p := range []plan.Policy{
		{Now: now, Requesters: []string{"shop"}}, {Now: now, Aggregates: []string{"a2"}}, {Now: now, Scenarios: []string{"s2"}},
	} {
		requireRule(t, plan.Check(c.compile(t, q), q, c.evidence(), p), plan.RuleNotAllowed)
	}
	for _, at := range []int64{expiry, now - 301, 0} {
		requireRule(t, plan.Check(c.compile(t, q), q, c.evidence(), plan.Policy{Now: at}), plan.RuleQueryExpired)
	}
	requireRule(t, plan.Check(c.compile(t, q), q, c.evidence(), plan.Policy{Now: now, Limits: plan.Limits{MinimumSubjects: 400}}), plan.RuleMinimum)
}

// An operator cannot send a query's approval to somebody else, nor change what is
// computed: the plan of the changed query is another one.
func TestRedirectedOrAlteredPlanIsRefused(t *testing.T) {
	c := newCity(t)
	q := ask(plan.Sum, col("income", "income"))
	honest := c.compile(t, q)
	want, err := honest.Hash()
	require.NoError(t, err)
	for what, change := range map[string]func(q *plan.Query){
		"requester": func(q *plan.Query) { q.Requester = "shop" },
		"scenario":  func(q *plan.Query) { q.Scenario = "s2" },
		"purpose":   func(q *plan.Query) { q.Purpose = "curiosity" },
		"expiry":    func(q *plan.Query) { q.Expiry++ },
		"lane":      func(q *plan.Query) { q.Columns[0] = col("age", "age") },
		"section":   func(q *plan.Query) { q.Sections = []string{"east"} },
		"kind":      func(q *plan.Query) { q.Kind = plan.Mean },
	} {
		o := *q
		o.Columns = slices.Clone(q.Columns)
		change(&o)
		other := c.compile(t, &o)
		hash, err := other.Hash()
		require.NoError(t, err)
		require.NotEqual(t, want, hash, what)
		requireRule(t, plan.Check(other, q, c.evidence(), holder), plan.RuleRecompiled)
		requireRule(t, plan.Check(honest, &o, c.evidence(), holder), plan.RuleRecompiled)
	}
	for what, change := range map[string]func(p *plan.Plan){
		"one leaf":        func(p *plan.Plan) { p.Folds[0].Extents = []plan.Extent{{First: 0, Batches: 1, Positions: 1}} },
		"a weight":        func(p *plan.Plan) { p.Outputs[0].Terms[0].Weight = 2 },
		"one coefficient": func(p *plan.Plan) { p.Outputs[0].Terms[0].Groups = 64 },
		"a bound":         func(p *plan.Plan) { p.Outputs[0].Bound.Add(p.Outputs[0].Bound, big.NewInt(1)) },
		"rows":            func(p *plan.Plan) { p.Parts[0].Rows++ },
		"minimum":         func(p *plan.Plan) { p.Minimum++ },
		"a key":           func(p *plan.Plan) { p.Keys[0].Key[0] ^= 1 },
		"a root":          func(p *plan.Plan) { p.Inputs[0].Root[0] ^= 1 },
		"requester":       func(p *plan.Plan) { p.Requester = "shop" },
	} {
		p := c.compile(t, q)
		change(p)
		requireRule(t, plan.Check(p, q, c.evidence(), holder), plan.RuleRecompiled)
		_ = what
	}
}

// signedLane is a manifest of one atom with the given counts.
func signedLane(k *keys, c plan.Count) *plan.Manifest {
	m := synthetic(k, c.Rows, 100)
	m.Lanes[0].Sections[0].Counts[0] = c
	return m
}

func TestTooSmallOrDominatedAtomsAreRefused(t *testing.T) {
	k := newKeys(t, smallParams(t, false), "a")
	for what, c := range map[string]struct {
		count plan.Count
		rule  string
	}{
		"one record":                  {plan.Count{Rows: 1, Subjects: 1, Top1: 1e6, Top2: 1e6}, plan.RuleMinimum},
		"one record a thousand times": {plan.Count{Rows: 1000, Subjects: 1, Top1: 1e6, Top2: 1e6}, plan.RuleMinimum},
		"nine people":                 {plan.Count{Rows: 90, Subjects: 9, Top1: 2e5, Top2: 3e5}, plan.RuleMinimum},
		"half and a bit":              {plan.Count{Rows: 90, Subjects: 50, Top1: 500_001, Top2: 600_000}, plan.RuleOne},
		"two with two thirds":         {plan.Count{Rows: 90, Subjects: 50, Top1: 400_000, Top2: 670_001}, plan.RuleTwo},
		"just allowed":                {plan.Count{Rows: 10, Subjects: 10, Top1: 500_000, Top2: 670_000}, ""},
	} {
		m := signedLane(k, c.count)
		err := m.Validate(plan.Limits{})
		if c.rule == "" {
			require.NoError(t, err, what)
			continue
		}
		r := requireRule(t, err, c.rule)
		require.Equal(t, plan.Refusal{Rule: c.rule, Lane: "v", Section: "all", Group: 0}, *r, what)
		q := ask(plan.Sum, plan.Column{Dataset: "a", Field: "v", Lane: "v"})
		p, err := plan.Compile(q, []*plan.Manifest{m}, []plan.Cert{k.cert})
		require.NoError(t, err)
		require.ErrorIs(t, plan.Check(p, q, plan.Evidence{Manifests: []*plan.Manifest{m}, Certs: []plan.Cert{k.cert}}, holder), plan.ErrRefused, what)
	}
}

// A provider's honest builder counts one person among its own zeros, and one
// person's many rows, as what they are.
func TestOnePersonAmongZerosIsCountedAsOne(t *testing.T) {
	k := newKeys(t, smallParams(t, false), "people")
	list := crowd(200)
	spec := peopleSpec(k)
	spec.Lanes = spec.Lanes[7:] // owner, 0 or 1
	for i := range list {
		list[i].Owner = i == 7
	}
	m := build(t, newStore(), spec, table(t, people, rowsOf(t, list)), k)
	require.Equal(t, plan.Count{Rows: 100, Subjects: 100, Top1: 1e6, Top2: 1e6}, m.Lanes[0].Sections[0].Counts[0])
	requireRule(t, m.Validate(plan.Limits{}), plan.RuleOne)
	for i := range list {
		list[i].ID, list[i].Owner = "p7", true
	}
	m = build(t, newStore(), spec, table(t, people, rowsOf(t, list)), k)
	require.Equal(t, uint64(1), m.Lanes[0].Sections[0].Counts[0].Subjects)
	requireRule(t, m.Validate(plan.Limits{}), plan.RuleMinimum)
}

// Three openings of which every two look harmless: all people, the women among
// those with a known age, the men; together they give the one whose age is unknown.
// The signed overlap of the lanes says so before anything is opened.
func TestThreeOpeningsThatTogetherHideADifference(t *testing.T) {
	k := newKeys(t, smallParams(t, false), "people")
	for unknown, rule := range map[int]string{1: plan.RuleOverlap, 9: plan.RuleOverlap, 10: "", 0: ""} {
		list := crowd(400)
		age := int64(30)
		for i := range list {
			list[i].District, list[i].Age = "east", &age
			if i < unknown {
				list[i].Age = nil
			}
		}
		income := []string{"income"}
		spec := peopleSpec(k)
		spec.Lanes = []plan.LaneSpec{
			{Name: "all", Kind: plan.Value, Columns: income, Bounds: []uint64{1 << 30}, Key: k.hash, Degree: 64},
			{Name: "known", Kind: plan.Bucketed, Columns: income, Bounds: []uint64{1 << 30}, SkipNulls: true, Present: []string{"age"}, GroupBy: "sex", Groups: []string{"f", "m"}, Key: k.hash, Degree: 64},
		}
		s := newStore()
		m := build(t, s, spec, table(t, people, rowsOf(t, list)), k)
		for _, l := range m.Lanes {
			for _, c := range l.Sections[0].Counts {
				require.Greater(t, c.Subjects, uint64(100), "every atom alone is large")
			}
		}
		q := ask(plan.Sum, col("all", "income"))
		p, err := plan.Compile(q, []*plan.Manifest{m}, []plan.Cert{k.cert})
		require.NoError(t, err)
		err = plan.Check(p, q, plan.Evidence{Manifests: []*plan.Manifest{m}, Certs: []plan.Cert{k.cert}}, holder)
		if rule == "" {
			require.NoError(t, err)
			continue
		}
		requireRule(t, err, rule)
		// The attack would work: this is what the rule is for.
		groups := ask(plan.GroupSum, col("known", "income"))
		gp, err := plan.Compile(groups, []*plan.Manifest{m}, []plan.Cert{k.cert})
		require.NoError(t, err)
		parts := opened(t, gp, s, k)
		rest := opened(t, p, s, k)[0]
		rest.Sub(rest, parts[0]).Sub(rest, parts[1])
		want := int64(0)
		for _, x := range list[:unknown] {
			want += x.cents
		}
		require.Equal(t, want, rest.Int64())
	}
}

// versions of a dataset of one atom; each names the one before with the given
// number of differing subjects.
func versions(t testing.TB, k *keys, steps ...uint64) []*plan.Manifest {
	out := []*plan.Manifest{signedLane(k, plan.Count{Rows: 100, Subjects: 100, Top1: 1e5, Top2: 2e5})}
	out[0].Version = "v0"
	for i, n := range steps {
		before, err := out[i].Hash()
		require.NoError(t, err)
		m := signedLane(k, plan.Count{Rows: 100, Subjects: 100, Top1: 1e5, Top2: 2e5})
		m.Version, m.Changes = fmt.Sprint("v", i+1), []plan.Change{{Manifest: before, Subjects: n}}
		out = append(out, m)
	}
	return out
}

func TestVersionsDifferByNobodyOrByEnough(t *testing.T) {
	k := newKeys(t, smallParams(t, false), "a")
	at := func(m *plan.Manifest) *plan.Query {
		q := ask(plan.Sum, plan.Column{Dataset: "a", Field: "v", Lane: "v"})
		q.Datasets[0].Version = m.Version
		return q
	}
	for what, c := range map[string]struct {
		steps    []uint64
		earlier  []int // opened versions
		rule     string
		reversed bool
	}{
		"nothing changed":                      {[]uint64{0}, []int{0}, "", false},
		"one changed":                          {[]uint64{1}, []int{0}, plan.RuleVersions, false},
		"nine changed":                         {[]uint64{9}, []int{0}, plan.RuleVersions, false},
		"ten changed":                          {[]uint64{10}, []int{0}, "", false},
		"one changed, nothing opened":          {[]uint64{1}, nil, "", false},
		"enough, then nothing":                 {[]uint64{10, 0}, []int{0}, "", false},
		"nothing, then enough":                 {[]uint64{0, 10}, []int{0}, "", false},
		"enough twice may be one in all":       {[]uint64{10, 10}, []int{0}, plan.RuleVersions, false},
		"enough twice, only the last opened":   {[]uint64{10, 10}, []int{1}, "", false},
		"too few, after one that was opened":   {[]uint64{10, 3}, []int{1}, plan.RuleVersions, false},
		"too few, long ago":                    {[]uint64{3, 10}, []int{1}, "", false},
		"an older version after a newer":       {[]uint64{1}, []int{0}, plan.RuleVersions, true},
		"an older one after enough changed":    {[]uint64{12}, []int{0}, "", true},
		"both opened, one is too near":         {[]uint64{0, 3}, []int{0, 1}, plan.RuleVersions, false},
		"the same version, any number of runs": {nil, []int{0, 0, 0}, "", false},
	} {
		chain := versions(t, k, c.steps...)
		if c.reversed {
			slices.Reverse(chain)
		}
		var earlier []plan.Opened
		for _, i := range c.earlier {
			p, err := plan.Compile(at(chain[i]), chain[i:i+1], []plan.Cert{k.cert})
			require.NoError(t, err)
			o, err := plan.OpenedBy(p)
			require.NoError(t, err)
			earlier = append(earlier, o...)
		}
		last := chain[len(chain)-1]
		q := at(last)
		p, err := plan.Compile(q, []*plan.Manifest{last}, []plan.Cert{k.cert})
		require.NoError(t, err)
		ev := plan.Evidence{Manifests: []*plan.Manifest{last}, Certs: []plan.Cert{k.cert}, History: chain, Earlier: earlier}
		err = plan.Check(p, q, ev, holder)
		if c.rule == "" {
			require.NoError(t, err, what)
			continue
		}
		require.Error(t, err, what)
		requireRule(t, err, c.rule)
		// Withholding the history or renaming the lane does not help.
		ev.History = nil
		requireRule(t, plan.Check(p, q, ev, holder), plan.RuleVersions)
		renamed := *last
		renamed.Lanes = slices.Clone(last.Lanes)
		renamed.Lanes[0].Name = "w"
		q.Columns[0].Lane = "w"
		p, err = plan.Compile(q, []*plan.Manifest{&renamed}, []plan.Cert{k.cert})
		require.NoError(t, err)
		ev.Manifests, ev.History = []*plan.Manifest{&renamed}, chain[:len(chain)-1]
		if !c.reversed {
			requireRule(t, plan.Check(p, q, ev, holder), plan.RuleVersions)
		}
	}
	// A manifest may compare itself with every earlier version.
	chain := versions(t, k, 10, 10)
	first, err := chain[0].Hash()
	require.NoError(t, err)
	chain[2].Changes = append(chain[2].Changes, plan.Change{Manifest: first, Subjects: 15})
	q := at(chain[2])
	p, err := plan.Compile(q, chain[2:], []plan.Cert{k.cert})
	require.NoError(t, err)
	ev := plan.Evidence{Manifests: chain[2:], Certs: []plan.Cert{k.cert}, History: chain, Earlier: []plan.Opened{{Manifest: first, Lanes: []string{"v"}}}}
	require.NoError(t, plan.Check(p, q, ev, holder))
}

// For random sets of approved plans every integer combination of all outputs
// weighs the positions of an atom alike: it is a combination of whole atoms. The
// attacker here sees the plans' own leaves and masks, not the planner's.
func TestApprovedPlansSpanOnlyWholeAtoms(t *testing.T) {
	c := newCity(t)
	queries := []*plan.Query{
		ask(plan.Sum, col("income", "income")), ask(plan.Mean, col("age", "age")), ask(plan.GroupSum, col("bysex", "income")),
		ask(plan.Histogram, col("sexes", "sex")), ask(plan.Variance, col("age", "age"), col("age2", "age")),
		ask(plan.Covariance, col("age", "age"), col("income", "income"), col("ageincome", "age")),
	}
	sections := [][]string{nil, {"east"}, {"west"}, {"west", "east"}}
	groups := [][]string{nil, {"f"}, {"m"}, {"m", "f"}}
	rapid.Check(t, func(r *rapid.T) {
		weights := map[string]map[[2]int]int64{} // lane -> (batch, position) -> weight
		for range rapid.IntRange(1, 6).Draw(r, "plans") {
			q := *rapid.SampledFrom(queries).Draw(r, "query")
			q.Sections = rapid.SampledFrom(sections).Draw(r, "sections")
			if q.Kind == plan.GroupSum || q.Kind == plan.Histogram {
				q.Groups = rapid.SampledFrom(groups).Draw(r, "groups")
			}
			p := c.compile(t, &q)
			require.NoError(t, plan.Check(p, &q, c.evidence(), holder))
			for i := range p.Outputs {
				spread(p, i, rapid.Int64Range(-5, 5).Draw(r, "times"), c.keys.params.N(), weights)
			}
		}
		for lane, w := range weights {
			wholeAtoms(t, c.manifest.Lane(lane), c.keys.params.N(), w)
		}
	})
}

func spread(p *plan.Plan, output int, times int64, n int, weights map[string]map[[2]int]int64) {
	for _, term := range p.Outputs[output].Terms {
		fold := p.Folds[term.Fold]
		lane := p.Inputs[fold.X].Lane
		if weights[lane] == nil {
			weights[lane] = map[[2]int]int64{}
		}
		for _, e := range fold.Extents {
			for b := range int(e.Batches) {
				for j := int(term.Group); j < n; j += int(term.Groups) {
					weights[lane][[2]int{int(e.First) + b, j}] += times * term.Weight
				}
			}
		}
	}
}

func wholeAtoms(t testing.TB, l *plan.Lane, n int, w map[[2]int]int64) {
	for _, s := range l.Sections {
		for g := range s.Counts {
			want := w[[2]int{int(s.First), g}]
			for b := range int(s.Batches) {
				for j := g; j < n; j += len(s.Counts) {
					require.Equal(t, want, w[[2]int{int(s.First) + b, j}])
				}
			}
		}
	}
}

// Random garbage in a plan is never approved.
func TestRandomlyChangedPlansAreNeverApproved(t *testing.T) {
	c := newCity(t)
	q := ask(plan.GroupMean, col("bysex", "income"))
	b, err := c.compile(t, q).Bytes()
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 5))
	for range 3000 {
		bad := slices.Clone(b)
		bad[rng.IntN(len(bad))] ^= byte(1 + rng.IntN(255))
		p, err := plan.ParsePlan(bad)
		if err != nil {
			require.ErrorIs(t, err, plan.ErrMalformed)
			continue
		}
		require.Error(t, plan.Check(p, q, c.evidence(), holder))
	}
}
