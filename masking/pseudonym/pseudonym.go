// Package pseudonym replaces each value by a keyed code of it, HMAC-SM3 cut to
// the bits asked for (ISO/IEC 20889: cryptographic pseudonymisation, 假名化).
//
//	value -> canonical form, if a type is given -> HMAC-SM3 -> first bits -> prefix + text
//
// What is protected: without the key, nothing about a value can be computed
// from its pseudonym beyond whether it equals another. The key is derived for
// one scenario, recipient and column outside; under two keys the pseudonyms of
// one person have nothing in common, so two recipients cannot join their
// tables. Nothing but the value enters the code: the separation is in the key.
//
// What is not protected: whoever holds the key can enumerate. An 18-digit
// resident number falls in core-hours and a phone number within one, so a
// pseudonym is personal information as long as its key exists; destroy the key
// at the end of the scenario. Equal values stay equal: frequencies show, and
// can be matched against another table (the commonest surname stays the
// commonest pseudonym). Nulls and the order of rows show.
package pseudonym

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/identifier"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/sm3lanes"
)

// MinKey is the length of the shortest key accepted, in bytes.
const MinKey = sm3lanes.MinKey

// New checks the parameters and makes the kernel. The key, MinKey bytes or more,
// belongs to this scenario, recipient and column alone; no reference is kept.
//
// Text, integers and fixed-size binary become text: large text stays large, all
// else becomes a string. An integer counts as its decimal digits, so that a
// number has one pseudonym in whatever type a register keeps it.
func New(p Params, key []byte) (kernel.Kernel, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("pseudonym: %w", err)
	}
	k, err := sm3lanes.NewKey(key)
	if err != nil {
		return nil, fmt.Errorf("pseudonym: %w", err)
	}
	return &pseudonymizer{key: k, kind: p.Type, out: newWriter(p)}, nil
}

type pseudonymizer struct {
	key  *sm3lanes.Key
	kind identifier.Kind // "" takes values as they are
	out  writer
}

func (*pseudonymizer) Type(in arrow.DataType) (arrow.DataType, error) {
	switch t := in.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		return in, nil
	case *arrow.FixedSizeBinaryType:
		if t.ByteWidth > 0 {
			return arrow.BinaryTypes.String, nil
		}
	default:
		if arrow.IsInteger(in.ID()) {
			return arrow.BinaryTypes.String, nil
		}
	}
	return nil, fmt.Errorf("%s is neither text nor integer nor fixed-size binary: %w", in, kernel.ErrType)
}

func (p *pseudonymizer) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	t, err := p.Type(in.DataType())
	if err != nil {
		return nil, err
	}
	switch {
	case in.DataType().ID() == arrow.STRING:
		return maskText[int32](p, env, in)
	case in.DataType().ID() == arrow.LARGE_STRING:
		return maskText[int64](p, env, in)
	}
	src, v, err := openFixed(in)
	if err != nil {
		return nil, err
	}
	return mask[int32](p, env, column{n: in.Len(), valid: v, rows: src}, t)
}

func maskText[O kernel.Offset](p *pseudonymizer, env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	s, err := kernel.OpenStrings[O](in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return mask[O](p, env, column{n: s.N, valid: s.Valid, rows: text[O]{s}}, in.DataType())
}

// mask writes the pseudonyms of a column: a chunk of rows is gathered as
// messages, their codes are computed, and written as text.
func mask[O kernel.Offset](p *pseudonymizer, env *kernel.Env, c column, t arrow.DataType) (arrow.Array, error) {
	width := p.out.width()
	w, err := kernel.NewWriter[O](env.Alloc, c.n, c.present()*width)
	if err != nil {
		return nil, err
	}
	g := newGatherer(p.kind, c)
	defer g.clear()
	pos := 0
	for from := 0; from < c.n; from += chunk {
		to := min(from+chunk, c.n)
		m, err := g.gather(env, from, to)
		if err != nil {
			clear(w.Data)
			w.Release()
			return nil, err
		}
		codes := g.codes[:m.count()*sm3lanes.Size]
		p.key.MACLarge(codes, m.data, m.offsets)
		p.out.write(w.Data[pos:], codes)
		for i := from; i < to; i++ {
			if g.has[i-from] {
				pos += width
			}
			w.Off[i+1] = O(pos)
		}
	}
	return w.Finish(env, c.valid, t), nil
}
