package governance

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// Uses of a key set.
const (
	UseAdd = "add" // sums of one provider's data, or of several under sets with the same holders
	UseMul = "mul" // products across the two datasets it names
)

// KeySet says who together hold the key under which a provider encrypts a dataset. The key itself is
// made by the holders in a ceremony; the gateway never has a part of it.
type KeySet struct {
	ID        string   `json:"id"`
	Use       string   `json:"use"`      // add or mul
	Datasets  []string `json:"datasets"` // one, or the two of a product
	Holders   []string `json:"holders"`  // parties with an agent key and an envelope key, in order
	Threshold int      `json:"threshold"`
	Epoch     int      `json:"epoch"`   // a new one makes new keys
	Scalars   int64    `json:"scalars"` // openings the key allows in all
	Until     Date     `json:"until"`
}

// Aggregate is a registered encrypted aggregate: what may be asked of data the gateway cannot read.
type Aggregate struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"` // see AggregateKinds
	Columns  []Lane   `json:"columns"`
	Sections []string `json:"sections,omitempty"` // none: all
	Groups   []string `json:"groups,omitempty"`   // none: all

	line int
}

// Lane is an encrypted column by the name it has in its provider's manifest, and the field it is made of.
type Lane struct {
	Dataset string `json:"dataset"`
	Field   string `json:"field"`
	Lane    string `json:"lane"`
	Weight  int64  `json:"weight,omitempty"` // score: what a value counts
}

// AggregateKinds lists what an encrypted aggregate may compute.
func AggregateKinds() []string {
	return []string{"count", "sum", "mean", "variance", "covariance", "correlation", "group_sum", "group_mean", "histogram", "score"}
}

const (
	maxHolders = 7
	maxLanes   = 64
	maxWeight  = 1 << 20
	maxScalars = 1 << 16
)

func (l *loader) keySet(n *yaml.Node, path string) KeySet {
	o := l.object(n, path, "id", "use", "datasets", "holders", "threshold", "epoch", "scalars", "until")
	l.keySets = append(l.keySets, o)
	k := KeySet{ID: o.id("id"), Use: o.enum("use", UseAdd, UseMul), Datasets: o.listRequired("datasets"), Holders: o.listRequired("holders"),
		Threshold: int(o.integer("threshold", 2, maxHolders)), Epoch: int(o.integerOr("epoch", 1, 1, 1_000_000)),
		Scalars: o.integerOr("scalars", maxScalars, 1, maxScalars), Until: o.date("until")}
	want := map[string]int{UseAdd: 1, UseMul: 2}[k.Use]
	if len(k.Datasets) != want {
		o.report("datasets", Malformed)
	}
	if len(k.Holders) > maxHolders || k.Threshold > len(k.Holders) {
		o.report("holders", Malformed)
	}
	return k
}

func (l *loader) aggregate(n *yaml.Node, path string) Aggregate {
	o := l.object(n, path, "id", "kind", "columns", "sections", "groups")
	l.aggregates = append(l.aggregates, o)
	a := Aggregate{ID: o.id("id"), Kind: o.enum("kind", AggregateKinds()...), Columns: each(o, "columns", maxLanes, l.lane),
		Sections: o.list("sections"), Groups: o.list("groups"), line: o.node.Line}
	if len(a.Columns) == 0 {
		o.report("columns", Malformed)
	}
	return a
}

func (l *loader) lane(n *yaml.Node, path string) Lane {
	o := l.object(n, path, "dataset", "field", "lane", "weight")
	return Lane{Dataset: o.id("dataset"), Field: o.text("field", maxName), Lane: o.id("lane"), Weight: o.integerOr("weight", 0, -maxWeight, maxWeight)}
}

// checkKeySet: every holder can sign and be sealed to; the operator holds no key.
func (l *loader) checkKeySet(ix *lookups, k *KeySet, o *object) {
	for i, id := range k.Datasets {
		n, path := o.nodeAt("datasets", i)
		if ix.datasets[id] == nil {
			l.report(n, path, DanglingReference)
		}
	}
	seen := map[string]bool{}
	for i, id := range k.Holders {
		n, path := o.nodeAt("holders", i)
		p := ix.parties[id]
		switch {
		case p == nil:
			l.report(n, path, DanglingReference)
		case seen[id]:
			l.report(n, path, DuplicateID)
		case p.HasRole(RoleOperator) || p.HasRole(RoleApplicationUnit):
			l.report(n, path, RoleNotAllowed)
		case p.AgentKey == "" || p.EnvelopeKey == "":
			l.report(n, path, Malformed)
		}
		seen[id] = true
	}
}

// checkAggregate: its fields exist, and somebody holds a key for each of its datasets.
func (l *loader) checkAggregate(ix *lookups, a *Aggregate, o *object) {
	for i, c := range a.Columns {
		n, path := o.nodeAt("columns", i)
		d := ix.datasets[c.Dataset]
		switch {
		case d == nil, !l.d.hasKeySet(c.Dataset):
			l.report(n, path, DanglingReference)
		case d.FieldNamed(c.Field) == nil:
			l.report(n, path, FieldUnknown)
		case (a.Kind == "score") != (c.Weight != 0):
			l.report(n, path, Malformed)
		}
	}
}

func (d *Domain) hasKeySet(dataset string) bool {
	return slices.ContainsFunc(d.KeySets, func(k KeySet) bool { return slices.Contains(k.Datasets, dataset) })
}

// KeySetsOf lists the key sets whose datasets are all among those named, in the order of the file.
func (d *Domain) KeySetsOf(datasets ...string) []*KeySet {
	var out []*KeySet
	for i := range d.KeySets {
		k := &d.KeySets[i]
		if !slices.ContainsFunc(k.Datasets, func(id string) bool { return !slices.Contains(datasets, id) }) {
			out = append(out, k)
		}
	}
	return out
}

// Datasets the aggregate reads, each once, in the order of its columns.
func (a *Aggregate) Datasets() []string {
	var out []string
	for _, c := range a.Columns {
		if !slices.Contains(out, c.Dataset) {
			out = append(out, c.Dataset)
		}
	}
	return out
}

// reads lists the fields the aggregate is made of in one dataset.
func (a *Aggregate) reads(dataset string) []string {
	var out []string
	for _, c := range a.Columns {
		if c.Dataset == dataset {
			out = append(out, c.Field)
		}
	}
	return out
}

func (a *Aggregate) uses(dataset string) []accessField {
	var out []accessField
	for _, name := range a.reads(dataset) {
		out = append(out, accessField{name: name, use: "measure"})
	}
	return out
}
