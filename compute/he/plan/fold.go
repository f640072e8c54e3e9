package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/yumen-project/yumen/compute/he"
)

func isCancel(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// inputReader reads and checks the leaves of one lane.
type inputReader struct {
	*evaluation
	in      *Input
	dataset string
	version string
	lane    [32]byte
	hashes  [][32]byte // nil: vouched for
}

func (e *evaluation) open(ctx context.Context, index uint32) (*inputReader, error) {
	in := &e.plan.Inputs[index]
	s := e.plan.Sources[in.Source]
	r := &inputReader{evaluation: e, in: in, dataset: s.Dataset, version: s.Version, lane: he.LaneID(s.Dataset, s.Version, in.Lane)}
	if e.options.Vouched {
		return r, nil
	}
	hashes, err := e.source.Hashes(ctx, s.Dataset, s.Version, in.Lane)
	if err != nil {
		return nil, fmt.Errorf("leaf hashes of lane %q: %w", in.Lane, err)
	}
	if uint64(len(hashes)) != uint64(in.Leaves) || MerkleRoot(hashes) != in.Root {
		return nil, fmt.Errorf("%w: lane %q: hashes do not give the manifest's root", ErrLeaf, in.Lane)
	}
	r.hashes = hashes
	return r, nil
}

func (r *inputReader) leaf(ctx context.Context, batch uint32, buf []byte) (*he.Leaf, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := r.source.Leaf(ctx, r.dataset, r.version, r.in.Lane, batch, buf)
	if err != nil {
		return nil, fmt.Errorf("leaf %d of lane %q: %w", batch, r.in.Lane, err)
	}
	parse := he.ReadVerifiedLeaf
	if r.hashes != nil {
		if he.LeafHash(data) != r.hashes[batch] {
			return nil, fmt.Errorf("%w: lane %q leaf %d: another hash", ErrLeaf, r.in.Lane, batch)
		}
		parse = he.ParseLeaf
	}
	l, err := parse(r.params, data)
	if err != nil {
		return nil, fmt.Errorf("%w: lane %q leaf %d: %w", ErrLeaf, r.in.Lane, batch, err)
	}
	if l.Header() != (he.Header{Key: r.in.Key, Lane: r.lane, Batch: batch, Rows: r.in.rows(batch)}) {
		return nil, fmt.Errorf("%w: lane %q leaf %d: another header", ErrLeaf, r.in.Lane, batch)
	}
	return l, nil
}

// rows is the number of positions in use of a batch, 0 if there is no such batch.
func (in *Input) rows(batch uint32) uint32 {
	for _, e := range in.Layout {
		if batch < e.First || batch-e.First >= e.Batches {
			continue
		}
		if in.Whole {
			return in.Degree
		}
		before := uint64(batch-e.First) * uint64(in.Degree)
		return uint32(min(uint64(in.Degree), e.Positions-min(before, e.Positions)))
	}
	return 0
}

// walk calls visit for the batches from..to of the extents laid end to end.
func (f *Fold) walk(from, to uint64, visit func(batch uint32) error) error {
	for _, e := range f.Extents {
		n := uint64(e.Batches)
		for i := from; i < min(to, n); i++ {
			if err := visit(e.First + uint32(i)); err != nil {
				return err
			}
		}
		from -= min(from, n)
		if to <= n {
			return nil
		}
		to -= n
	}
	return nil
}

func (f *Fold) batches() uint64 {
	var n uint64
	for _, e := range f.Extents {
		n += uint64(e.Batches)
	}
	return n
}

func (e *evaluation) fold(ctx context.Context, f *Fold) (*he.Sum, error) {
	x, err := e.open(ctx, f.X)
	if err != nil {
		return nil, err
	}
	if f.Y == NoInput {
		return e.add(ctx, f, x)
	}
	y, err := e.open(ctx, f.Y)
	if err != nil {
		return nil, err
	}
	return e.multiply(ctx, f, x, y)
}

// together is the number of leaves added at once.
const together = 4

func (e *evaluation) add(ctx context.Context, f *Fold, x *inputReader) (*he.Sum, error) {
	parts := make([]*he.Accumulator, e.options.Workers)
	err := e.split(ctx, f.batches(), func(ctx context.Context, w int, from, to uint64) error {
		acc := he.NewAccumulator(e.params, x.in.Key)
		parts[w] = acc
		buffers := e.buffers(together)
		var leaves []*he.Leaf
		err := f.walk(from, to, func(batch uint32) error {
			l, err := x.leaf(ctx, batch, buffers[len(leaves)])
			if err != nil {
				return err
			}
			if leaves = append(leaves, l); len(leaves) < together {
				return nil
			}
			err = acc.Add(leaves...)
			leaves = leaves[:0]
			return err
		})
		if err != nil {
			return err
		}
		return acc.Add(leaves...)
	})
	if err != nil {
		return nil, err
	}
	for _, p := range parts[1:] {
		if err := parts[0].Merge(p); err != nil {
			return nil, err
		}
	}
	return parts[0].Sum(), nil
}

func (e *evaluation) buffers(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = make([]byte, 0, e.params.LeafSize())
	}
	return out
}

func (e *evaluation) multiply(ctx context.Context, f *Fold, x, y *inputReader) (*he.Sum, error) {
	key := e.options.Relin[x.in.Key]
	if key == nil || x.in.Key != y.in.Key {
		return nil, refuse(RuleCertificate, y.in.Lane)
	}
	parts := make([]*he.Product, e.options.Workers)
	err := e.split(ctx, f.batches(), func(ctx context.Context, w int, from, to uint64) error {
		product, err := he.NewProduct(e.params, x.in.Key, key)
		if err != nil {
			return err
		}
		parts[w] = product
		buffers := e.buffers(2)
		return f.walk(from, to, func(batch uint32) error {
			lx, err := x.leaf(ctx, batch, buffers[0])
			if err != nil {
				return err
			}
			ly, err := y.leaf(ctx, batch, buffers[1])
			if err != nil {
				return err
			}
			return product.Add(lx, ly)
		})
	})
	if err != nil {
		return nil, err
	}
	for _, p := range parts[1:] {
		if err := parts[0].Merge(p); err != nil {
			return nil, err
		}
	}
	return parts[0].Sum()
}
