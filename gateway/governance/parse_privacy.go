package governance

import (
	"math"
	"math/big"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Units in which costs of differential privacy are counted.
const (
	RhoUnit   = 1_000_000_000     // of rho, zCDP
	DeltaUnit = 1_000_000_000_000 // of delta
)

func (l *loader) privacy(n *yaml.Node, path string) *Privacy {
	o := l.object(n, path, "mechanism", "max_groups", "max_records", "rho", "delta", "tau", "keys")
	p := &Privacy{
		Mechanism: o.enum("mechanism", "laplace", "gaussian"), MaxGroups: int(o.integer("max_groups", 1, 1<<16)),
		MaxRecords: int(o.integer("max_records", 1, 1<<16)), Rho: o.text("rho", maxName), Delta: o.textOr("delta", maxName),
		Keys: each(o, "keys", maxParts, l.publicKeys),
	}
	if o.has("tau") {
		p.Tau = int(o.integer("tau", 0, 1<<30))
	}
	if units(p.Rho, RhoUnit) <= 0 {
		o.report("rho", Malformed)
	}
	if p.Delta != "" && units(p.Delta, DeltaUnit) < 0 {
		o.report("delta", Malformed)
	}
	return p
}

func (l *loader) publicKeys(n *yaml.Node, path string) Keys {
	o := l.object(n, path, "field", "public")
	return Keys{Field: o.text("field", maxName), Public: o.listRequired("public")}
}

func (l *loader) privacyBudget(n *yaml.Node, path string) *PrivacyBudget {
	o := l.object(n, path, "epoch", "rho", "delta", "unit_rho")
	b := &PrivacyBudget{Epoch: int(o.integer("epoch", 1, 1<<30)), Rho: o.text("rho", maxName), Delta: o.text("delta", maxName), UnitRho: o.text("unit_rho", maxName)}
	for key, v := range map[string]string{"rho": b.Rho, "unit_rho": b.UnitRho} {
		if units(v, RhoUnit) < 0 {
			o.report(key, Malformed)
		}
	}
	if units(b.Delta, DeltaUnit) < 0 {
		o.report("delta", Malformed)
	}
	return b
}

// units reads a decimal as a count of 1/per, exactly; -1 if it is none or not a whole number of units.
func units(s string, per int64) int64 {
	if len(s) > 32 || !decimalText.MatchString(s) {
		return -1
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok || v.Sign() < 0 {
		return -1
	}
	v.Mul(v, new(big.Rat).SetInt64(per))
	if !v.IsInt() || !v.Num().IsInt64() || v.Num().Int64() == math.MaxInt64 {
		return -1
	}
	return v.Num().Int64()
}

// RhoUnits is a checked decimal cost in billionths.
func RhoUnits(s string) int64 { return max(units(s, RhoUnit), 0) }

// DeltaUnits is a checked decimal delta in units of 1e-12.
func DeltaUnits(s string) int64 { return max(units(s, DeltaUnit), 0) }

// DecimalUnits reads a registered value of a numeric field in units of its last fraction digit.
func DecimalUnits(s string, scale int) (int64, bool) {
	per := int64(1)
	for range scale {
		if per > math.MaxInt64/10 {
			return 0, false
		}
		per *= 10
	}
	negative := len(s) > 1 && s[0] == '-'
	if negative {
		s = s[1:]
	}
	v := units(s, per)
	if v < 0 {
		return 0, false
	}
	if negative {
		v = -v
	}
	return v, true
}

// Scale is the number of fraction digits of a numeric field, -1 for any other.
func (f *Field) Scale() int {
	t, err := parseType(f.Type)
	if err != nil || !t.numeric() || t.name == "float64" {
		return -1
	}
	return t.scale
}

// checkPrivacy checks what a private table adds, and refuses its parts in an exact one.
func (l *loader) checkPrivacy(d *Dataset, t *Table, o *object) {
	for i := range t.Measures {
		m := &t.Measures[i]
		n, path := o.nodeAt("measures", i)
		plain := m.Low == "" && m.High == "" && m.Bands == nil && m.Quantiles == nil && m.Rho == ""
		exactKind := m.Kind == "count" || m.Kind == "sum" || m.Kind == "mean"
		if t.Privacy == nil {
			if !plain || !exactKind {
				l.report(n, path, Malformed)
			}
			continue
		}
		if units(m.Rho, RhoUnit) <= 0 || !m.bounded(d) {
			l.report(n, path, Malformed)
		}
	}
	if t.Privacy == nil {
		return
	}
	if len(t.Filters) > 0 || d.Subject.Field == "" {
		o.report("privacy", Malformed) // a filter would need a bound of its own; the unit must be a subject
	}
	for _, k := range t.Privacy.Keys {
		if !slices.Contains(t.GroupBy, k.Field) {
			o.report("privacy", DanglingReference)
		}
	}
}

// bounded says whether the bounds and bands of a measure fit its field.
func (m *Measure) bounded(d *Dataset) bool {
	if m.Kind == "count" {
		return true
	}
	f := d.FieldNamed(m.Field)
	if f == nil || f.Scale() < 0 {
		return false
	}
	values := m.Bands
	if m.Kind == "sum" || m.Kind == "mean" || m.Kind == "variance" {
		values = []string{m.Low, m.High}
	} else if len(m.Bands) == 0 {
		return false
	}
	last := int64(math.MinInt64)
	for _, v := range values {
		u, ok := DecimalUnits(v, f.Scale())
		if !ok || u <= last {
			return false
		}
		last = u
	}
	return true
}
