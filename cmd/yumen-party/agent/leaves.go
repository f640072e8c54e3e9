package agent

import (
	"context"
	"fmt"

	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/compute/he/vault"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// copySync bounds the leaves that a crash takes back.
const copySync = 256

// ownCopy is a plan's leaves as they lie here.
type ownCopy struct {
	lanes map[encrypted.Place]*vault.Lane
}

// copyLeaves fetches the missing leaves of a plan's lanes and holds every lane's
// hashes against the root that its provider signed.
func (a *Agent) copyLeaves(ctx context.Context, p *plan.Plan) (*ownCopy, error) {
	c := &ownCopy{lanes: map[encrypted.Place]*vault.Lane{}}
	params := a.o.Params[p.Parameters]
	for i := range p.Inputs {
		in := &p.Inputs[i]
		src := p.Sources[in.Source]
		at := encrypted.Place{Dataset: src.Dataset, Version: src.Version, Lane: in.Lane}
		lane, err := a.vault.Lane(params, in.Key, at.Dataset, at.Version, at.Lane)
		if err != nil {
			return nil, err
		}
		if err := a.fill(ctx, lane, at, in.Leaves); err != nil {
			return nil, fmt.Errorf("copy lane %q: %w", at.Lane, err)
		}
		var roots plan.Roots
		for batch := range in.Leaves {
			h, err := lane.Hash(batch)
			if err != nil {
				return nil, err
			}
			roots.Add(h)
		}
		if roots.Root() != in.Root {
			return nil, fmt.Errorf("copy lane %q: %w", at.Lane, plan.ErrLeaf)
		}
		c.lanes[at] = lane
	}
	return c, nil
}

// fill downloads what is missing of the first leaves of a lane.
func (a *Agent) fill(ctx context.Context, lane *vault.Lane, at encrypted.Place, leaves uint32) error {
	for _, gap := range gaps(lane.Held(), leaves) {
		pending := 0
		for leaf, err := range a.o.Gateway.Download(ctx, at, gap) {
			if err != nil {
				return err
			}
			if err := lane.Put(leaf.Batch, leaf.Bytes); err != nil {
				return err
			}
			if pending++; pending%copySync == 0 {
				if err := lane.Sync(); err != nil {
					return err
				}
			}
		}
		if err := lane.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// gaps are the runs below n that are not held.
func gaps(held []vault.Range, n uint32) []encrypted.Range {
	var list []encrypted.Range
	next := uint32(0)
	for _, r := range held {
		if r.First >= n {
			break
		}
		if r.First > next {
			list = append(list, encrypted.Range{First: next, Count: r.First - next})
		}
		next = r.First + r.Count
	}
	if next < n {
		list = append(list, encrypted.Range{First: next, Count: n - next})
	}
	return list
}

// Hashes are those the leaves entered with.
func (c *ownCopy) Hashes(_ context.Context, dataset, version, lane string) ([][32]byte, error) {
	l := c.lanes[encrypted.Place{Dataset: dataset, Version: version, Lane: lane}]
	if l == nil {
		return nil, vault.ErrMissing
	}
	var list [][32]byte
	for _, r := range l.Held() {
		for i := range r.Count {
			h, err := l.Hash(r.First + i)
			if err != nil {
				return nil, err
			}
			list = append(list, h)
		}
	}
	return list, nil
}

// Leaf is a leaf as it lies on the own disk.
func (c *ownCopy) Leaf(_ context.Context, dataset, version, lane string, batch uint32, buf []byte) ([]byte, error) {
	l := c.lanes[encrypted.Place{Dataset: dataset, Version: version, Lane: lane}]
	if l == nil {
		return nil, vault.ErrMissing
	}
	return l.ReadUnchecked(batch, buf)
}
