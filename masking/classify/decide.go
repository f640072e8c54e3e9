package classify

import (
	"slices"
	"strings"
)

// result judges a column by its tally and header.
func (c *column) result(index int, name string, rows int64, o *Options) Result {
	t := c.tally()
	r := Result{Index: index, Column: name, Kind: c.kind}
	h := hint{}
	if c.scan.lookString(name).signs&personalSigns != 0 {
		r.Column, r.HeaderIsData = "", true
	} else {
		h = parseHeader(name)
	}
	r.Said = h.typ
	r.Evidence = Evidence{Nulls: c.nulls, Sampled: len(c.drawn), Blank: t.blank, Values: t.values, Distinct: t.distinct}
	best, found := choose(t, &h)
	switch {
	case found:
		r.settle(&best, t, &h)
	default:
		r.Type = fallback(t, &h)
		r.Class, r.Grade = defaults(r.Type)
		r.Confidence = formConfidence(t, h.has(r.Type))
	}
	r.Evidence.Embedded = t.passed(sEmbedded, 0)
	r.Evidence.Others = others(t, r.Type)
	r.adjust(t, &h)
	r.raise(name, rows, &h, o)
	return r
}

// personalSigns are those of a header that is data.
const personalSigns = sResident | sCredit | sCard | sPermanent | sMobile | sEmail | sIMEI | sPlate | sIPv4 | sMAC

// threshold is the share a spec needs here; above 1: it cannot be.
func (s *spec) threshold(t *tally, h *hint) float64 {
	if h.has(s.typ) {
		return s.hinted
	}
	if s.need == 0 || t.values < s.least || s.bare != nil && !s.bare(t) {
		return 2
	}
	if h.typ != noType && !s.strict && s.need >= 0.5 {
		return s.need + 0.1
	}
	return s.need
}

// choose finds the spec that fits best.
func choose(t *tally, h *hint) (spec, bool) {
	var best spec
	points := -1
	for _, s := range specs() {
		if t.values == 0 || t.share(s.passes) < s.threshold(t, h) || s.strict && t.share(s.passes) < 0.3 && t.passed(s.passes, 0) < 5 {
			continue
		}
		p := 0
		if s.strict {
			p = 2
		}
		if h.has(s.typ) {
			p++
		}
		if p > points {
			best, points = s, p
		}
	}
	if points >= 0 {
		return best, true
	}
	parts := mixture(t, h, 0)
	total := 0
	for _, p := range parts {
		total += p.count
	}
	if len(parts) > 1 && 2*total >= t.values && 7*parts[0].count >= t.values {
		return parts[0].spec, true
	}
	return best, false
}

// part is a kind of identifier within a column and how many values it accounts
// for that no earlier part does.
type part struct {
	spec  spec
	count int
}

// mixture finds the kinds of direct identifier in a column, the commonest first,
// those that fewer than one in ten of the values pass left out.
func mixture(t *tally, h *hint, taken signs) []part {
	var parts []part
	for {
		best := commonest(t, h, taken, false)
		if !best.counts(t) { // then what has a form of its own only under a header
			best = commonest(t, h, taken, true)
		}
		if !best.counts(t) {
			return parts
		}
		taken |= best.spec.passes
		parts = append(parts, best)
	}
}

func (p *part) counts(t *tally) bool { return p.count >= 3 && 10*p.count >= t.values }

// commonest finds the identifier that most of the values not taken pass.
func commonest(t *tally, h *hint, taken signs, loose bool) part {
	var best part
	for _, s := range specs() {
		if s.class != Direct || loose != (s.need == 0) || loose && !h.has(s.typ) || taken&s.passes == s.passes {
			continue
		}
		if n := t.passed(s.passes, taken); n > best.count {
			best = part{s, n}
		}
	}
	return best
}

// settle fills the result in from the spec chosen.
func (r *Result) settle(best *spec, t *tally, h *hint) {
	r.Type, r.Class, r.Grade = best.typ, best.class, best.grade
	passed := t.passed(best.passes, 0)
	r.Evidence.Passed = passed
	if best.class == Direct {
		r.mix(best, passed, t, h)
	}
	r.Confidence = sure(passed, t.values)
	switch {
	case h.has(best.typ):
		r.Confidence = (1 + r.Confidence) / 2
	case !best.strict:
		r.Confidence *= 0.9
	}
}

// mix reports further kinds of identifier; the highest grade becomes the type,
// the commonest among equals.
func (r *Result) mix(best *spec, passed int, t *tally, h *hint) {
	more := mixture(t, h, best.passes)
	if len(more) == 0 {
		return
	}
	r.Mixed = []Share{{best.typ, passed}}
	top, most := best.grade, passed
	for _, p := range more {
		if slices.ContainsFunc(r.Mixed, func(s Share) bool { return s.Type == p.spec.typ }) {
			continue
		}
		r.Mixed = append(r.Mixed, Share{p.spec.typ, p.count})
		if p.spec.grade.rank() > top.rank() || p.spec.grade == top && p.count > most {
			r.Type, r.Class, top, most = p.spec.typ, p.spec.class, p.spec.grade, p.count
			r.Evidence.Passed = p.count
		}
	}
	r.Grade = top
	if len(r.Mixed) == 1 {
		r.Mixed = nil
	}
}

// others lists what else was passed, for a person to see.
func others(t *tally, found Type) []Share {
	var out []Share
	for _, s := range specs() {
		if s.typ == found || s.need == 0 || slices.ContainsFunc(out, func(x Share) bool { return x.Type == s.typ }) {
			continue
		}
		if n := t.passed(s.passes, 0); n > 0 {
			out = append(out, Share{s.typ, n})
		}
	}
	return out
}

// adjust weighs what the header says against what the values are.
func (r *Result) adjust(t *tally, h *hint) {
	if r.Type == Code && t.values >= 20 && t.ratio() >= 0.95 {
		r.Class, r.Grade = Quasi, Grade2
	}
	r.Disagrees = h.typ != noType && t.values > 0 && !h.has(r.Type) && !form(h.typ)
	repeated := t.values > 0 && t.distinct <= 20 && t.ratio() <= 0.2
	if form(r.Type) && !form(h.typ) && h.typ != noType && (!repeated || fewValued(h.typ)) {
		r.lift(defaults(h.typ))
	}
	r.traces(t)
	grave := slices.ContainsFunc(h.tags, func(t Type) bool { return t == Health || t == Special || t == Biometric })
	if grave && (r.Class != Attribute || r.Type == Boolean) {
		if r.Type == Boolean {
			r.lift(Sensitive, Grade4)
		}
		r.Grade = higher(r.Grade, Grade4)
	}
	if n := t.passed(sEmbedded, 0); n >= 3 && r.Type == FreeText {
		r.Class = Direct
	}
	residents, children := t.passed(sResident, 0), t.passed(sChild, 0)
	r.Minors = h.minor || r.Type == ResidentID && residents >= 5 && 2*children >= residents ||
		r.Type == Age && t.values >= 20 && t.share(sChildAge) >= 0.8
	if r.Minors && r.Class != Attribute {
		r.Grade = higher(r.Grade, Grade4)
	}
}

// traces lifts a column in which identifiers with check characters stand too
// often for chance and too seldom to be its type.
func (r *Result) traces(t *tally) {
	for _, s := range specs() {
		if s.least != 1 || !s.strict || s.typ == r.Type {
			continue
		}
		n := t.passed(s.passes, 0)
		// Of a resident number region, birthday and check character agree by chance
		// hardly ever; of others the check character alone may.
		if n >= 5 && (50*n >= t.values || s.typ == ResidentID) {
			r.lift(s.class, s.grade)
		}
	}
}

func (r *Result) lift(c Class, g Grade) {
	if c.rank() > r.Class.rank() {
		r.Class = c
	}
	r.Grade = higher(r.Grade, g)
}

// raise applies words of the header, the floor and the operator's rules.
func (r *Result) raise(name string, rows int64, h *hint, o *Options) {
	r.Grade = higher(higher(r.Grade, h.raise), o.Floor)
	for _, rule := range o.Rules {
		if (rule.Type == noType || rule.Type == r.Type) && (rule.Class == "" || rule.Class == r.Class) &&
			(rule.Header == "" || strings.Contains(strings.ToLower(name), strings.ToLower(rule.Header))) && rows >= rule.MinRows {
			r.Grade = higher(r.Grade, rule.Grade)
		}
	}
}

// fewValued reports types of persons' traits: few values that repeat are what they are.
func fewValued(t Type) bool {
	switch t {
	case Trait, Marital, Ethnicity, Gender:
		return true
	}
	return false
}

// form reports types that say how a column looks and not what it means.
func form(t Type) bool {
	switch t {
	case Code, Enum, Boolean, Number, FreeText, Binary, Empty, Unknown, Date, Org:
		return true
	}
	return false
}
