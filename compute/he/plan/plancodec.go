package plan

import (
	"fmt"
	"math/big"
)

const (
	planPrefix = "YHPL\x01"
	planDomain = "yumen encrypted plan 1"

	maxOutputs = 8 * maxGroups
	maxTerms   = 1 << 10
	// MaxPlan bounds the bytes of a plan.
	MaxPlan = 16 << 20
)

// Bytes is the canonical form.
func (p *Plan) Bytes() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	w := &writer{}
	w.raw(planPrefix)
	w.hash(p.Query)
	w.text(string(p.Kind))
	w.text(p.Requester)
	w.u64(uint64(p.Expiry))
	w.hash(p.Parameters)
	w.texts(p.Holders)
	w.u8(int(p.Threshold))
	w.u32(uint32(len(p.Sources)))
	for _, s := range p.Sources {
		w.text(s.Dataset)
		w.text(s.Version)
		w.hash(s.Manifest)
	}
	w.u32(uint32(len(p.Keys)))
	for _, k := range p.Keys {
		w.hash(k.Key)
		w.u32(k.Scalars)
	}
	p.writeWork(w)
	w.u32(uint32(len(p.Parts)))
	for _, part := range p.Parts {
		w.text(part.Label)
		w.u64(part.Rows)
	}
	w.u8(int(p.Scale[0]))
	w.u8(int(p.Scale[1]))
	w.u64(p.Minimum)
	return w.b, nil
}

func (p *Plan) writeWork(w *writer) {
	w.u32(uint32(len(p.Inputs)))
	for _, in := range p.Inputs {
		w.u32(in.Source)
		w.text(in.Lane)
		w.hash(in.Key)
		w.hash(in.Root)
		w.u32(in.Degree)
		w.flag(in.Whole)
		w.u32(in.Leaves)
		w.extents(in.Layout)
	}
	w.u32(uint32(len(p.Folds)))
	for _, f := range p.Folds {
		w.u32(f.X)
		w.u32(f.Y)
		w.extents(f.Extents)
	}
	w.u32(uint32(len(p.Outputs)))
	for _, o := range p.Outputs {
		w.u32(uint32(len(o.Terms)))
		for _, t := range o.Terms {
			w.u32(t.Fold)
			w.u32(t.Groups)
			w.u32(t.Group)
			w.u64(uint64(t.Weight))
		}
		w.text(string(o.Bound.Bytes()))
	}
}

func (w *writer) flag(v bool) {
	if v {
		w.u8(1)
		return
	}
	w.u8(0)
}

func (w *writer) extents(list []Extent) {
	w.u32(uint32(len(list)))
	for _, e := range list {
		w.u32(e.First)
		w.u32(e.Batches)
		w.u64(e.Positions)
	}
}

// ParsePlan accepts the canonical form only, of at most MaxPlan bytes. Whether it
// is the plan of a query is Check's question.
func ParsePlan(b []byte) (*Plan, error) {
	if len(b) > MaxPlan {
		return nil, fmt.Errorf("%w: plan of %d bytes", ErrMalformed, len(b))
	}
	r := &reader{b: b}
	r.expect(planPrefix)
	p := &Plan{
		Query: r.hash(), Kind: Kind(r.text(maxName)), Requester: r.text(maxName), Expiry: int64(r.u64()),
		Parameters: r.hash(), Holders: r.texts(16), Threshold: uint8(r.u8()),
	}
	for range r.count(maxDatasets, 40) {
		p.Sources = append(p.Sources, Source{Dataset: r.text(maxName), Version: r.text(maxName), Manifest: r.hash()})
	}
	for range r.count(maxQuery, 36) {
		p.Keys = append(p.Keys, KeyUse{Key: r.hash(), Scalars: r.u32()})
	}
	p.readWork(r)
	for range r.count(maxGroups, 12) {
		p.Parts = append(p.Parts, Part{Label: r.text(maxName), Rows: r.u64()})
	}
	p.Scale = [2]uint8{uint8(r.u8()), uint8(r.u8())}
	p.Minimum = r.u64()
	if !r.done() {
		return nil, fmt.Errorf("%w: plan", ErrMalformed)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w: plan: %w", ErrMalformed, err)
	}
	return p, nil
}

func (p *Plan) readWork(r *reader) {
	for range r.count(maxQuery, 85) {
		p.Inputs = append(p.Inputs, Input{
			Source: r.u32(), Lane: r.text(maxName), Key: r.hash(), Root: r.hash(), Degree: r.u32(),
			Whole: r.flag(), Leaves: r.u32(), Layout: r.extents(),
		})
	}
	for range r.count(2*maxQuery, 12) {
		p.Folds = append(p.Folds, Fold{X: r.u32(), Y: r.u32(), Extents: r.extents()})
	}
	for range r.count(maxOutputs, 8) {
		var o Output
		for range r.count(maxTerms, 20) {
			o.Terms = append(o.Terms, Term{Fold: r.u32(), Groups: r.u32(), Group: r.u32(), Weight: int64(r.u64())})
		}
		o.Bound = r.number()
		p.Outputs = append(p.Outputs, o)
	}
}

func (r *reader) flag() bool {
	v := r.u8()
	if v > 1 {
		r.bad = true
	}
	return v == 1
}

func (r *reader) extents() []Extent {
	var list []Extent
	for range r.count(maxSections, 16) {
		list = append(list, Extent{First: r.u32(), Batches: r.u32(), Positions: r.u64()})
	}
	return list
}

// number reads an unsigned number without leading zero bytes.
func (r *reader) number() *big.Int {
	s := r.text(32)
	if s != "" && s[0] == 0 {
		r.bad = true
	}
	return new(big.Int).SetBytes([]byte(s))
}
