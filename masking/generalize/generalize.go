// Package generalize makes values coarser (ISO/IEC 20889: generalization):
// numbers to ranges, clamped ends or rounded values; dates to year, quarter,
// month or decade; region codes to province or city; anything to a level of a
// hierarchy.
//
// What is protected: the value within its interval, period, region or group.
// What is not: the group itself, which may hold one person; package risk
// measures that on the result. Intervals are fixed by the policy and do not
// depend on the data.
package generalize

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Params is a literal; New checks it. Numbers are decimals as text, read
// exactly.
type Params struct {
	// To is range, clamp, round (numbers); year, quarter, month, decade
	// (dates); region; hierarchy.
	To string
	// As is "" or "label" for text such as [20,30) or 1990Q2; "start" keeps
	// the type and gives the lower end of the range or the first day of the
	// period. Of range and dates only.
	As string
	// Width and Origin make the ranges [Origin+n*Width, Origin+(n+1)*Width).
	// Origin is 0 if empty.
	Width, Origin string
	// Bottom and Top code the ends: range gives "<Bottom" and ">=Top" (start:
	// Bottom and Top), clamp gives Bottom and Top themselves. In a range both
	// must lie on its grid.
	Bottom, Top string
	// Unit is what round rounds to a multiple of, halves away from zero.
	Unit string
	// Digits is how many of the six digits of a region code stay: 2 or 4. The
	// others become 0.
	Digits string
	// Table is a hierarchy in ARX's form, one value a line with its labels by
	// level: value;level 1;level 2. Separator is ";" if empty. Level is from 1.
	Table, Separator, Level string
}

// Parse reads parameters by name: to, as, width, origin, bottom, top, unit,
// digits, table, separator, level.
func Parse(params map[string]string) (Params, error) {
	var p Params
	fields := map[string]*string{
		"to": &p.To, "as": &p.As, "width": &p.Width, "origin": &p.Origin,
		"bottom": &p.Bottom, "top": &p.Top, "unit": &p.Unit, "digits": &p.Digits,
		"table": &p.Table, "separator": &p.Separator, "level": &p.Level,
	}
	for name, v := range params {
		f, ok := fields[name]
		if !ok {
			return p, fmt.Errorf("parameter %q is unknown to generalize", name)
		}
		if v == "" {
			return p, fmt.Errorf("parameter %s: empty", name)
		}
		*f = v
	}
	return p, nil
}

// New checks the parameters and makes the kernel.
func New(p Params) (kernel.Kernel, error) {
	switch p.To {
	case "range":
		return newRange(p)
	case "clamp":
		return newClamp(p)
	case "round":
		return newRound(p)
	case "year", "quarter", "month", "decade":
		return newDate(p)
	case "region":
		return newRegion(p)
	case "hierarchy":
		return newHierarchyKernel(p)
	case "":
		return nil, errors.New("parameter to: missing")
	}
	return nil, errors.New("parameter to: want range, clamp, round, year, quarter, month, decade, region or hierarchy")
}

// only refuses parameters that mean nothing to p.To.
func (p Params) only(names ...string) error {
	given := map[string]string{
		"as": p.As, "width": p.Width, "origin": p.Origin, "bottom": p.Bottom, "top": p.Top,
		"unit": p.Unit, "digits": p.Digits, "table": p.Table, "separator": p.Separator, "level": p.Level,
	}
	for _, n := range names {
		delete(given, n)
	}
	for n, v := range given {
		if v != "" {
			return fmt.Errorf("parameter %s means nothing to %s (it takes %s)", n, p.To, strings.Join(names, ", "))
		}
	}
	return nil
}

// label reads the parameter as: true for text, false for the start.
func (p Params) label() (bool, error) {
	switch p.As {
	case "", "label":
		return true, nil
	case "start":
		return false, nil
	}
	return false, errors.New("parameter as: want label or start")
}
