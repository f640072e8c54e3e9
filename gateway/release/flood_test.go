package release_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/release"
)

// told lists the refusals in the log: how many entries a party has, and how many refusals they stand for.
func (w *world) told(party string) (entries, refusals int64) {
	for i := range w.log.Size() {
		f, err := w.log.Frame(context.Background(), i)
		require.NoError(w.t, err)
		if f.Entry.Kind != audit.Refusal {
			continue
		}
		r, err := ledger.ParseRecord(f.Private)
		require.NoError(w.t, err)
		d, err := release.ReadRefusal(r.Body)
		require.NoError(w.t, err)
		if d.Party == party {
			entries++
			refusals += max(d.Count, 1)
			if d.Act == "refusals counted from here" {
				refusals-- // the count includes it
			}
		}
	}
	return entries, refusals
}

// A party that is refused again and again makes the log grow by a bounded number of entries a minute, and
// the log still says how often it was refused; another party's refusals are entries of their own.
func TestRefusalsBeyondTheCapAreCounted(t *testing.T) {
	var now atomic.Int64
	now.Store(noon.UnixMilli())
	w := newWorld(t, func(o *release.Options) { o.Now = now.Load })
	refuse := func(party string) uint64 {
		index, err := w.gate.Refuse(context.Background(), &governance.Ask{Party: party}, w.policy.Load().Refuse(governance.Suspended), nil)
		require.NoError(t, err)
		require.Less(t, index, w.log.Size())
		return index
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 125 {
				refuse("loud")
			}
		})
	}
	wg.Wait()
	entries, _ := w.told("loud")
	require.LessOrEqual(t, entries, int64(160), "some more come while the entry that begins the count is written")
	size := w.log.Size()
	last := refuse("loud")
	require.Equal(t, size, w.log.Size())
	require.Equal(t, last, refuse("loud"), "they answer with where counting began")
	refuse("quiet")
	require.Equal(t, size+1, w.log.Size())

	require.NoError(t, w.gate.Settle(context.Background(), now.Load()))
	require.Equal(t, size+1, w.log.Size(), "the minute is not over")
	now.Add(60_000)
	require.NotEqual(t, last, refuse("loud"))
	_, refusals := w.told("loud")
	require.EqualValues(t, 1003, refusals)
	now.Add(60_000)
	require.NoError(t, w.gate.Settle(context.Background(), now.Load()))
	_, again := w.told("loud")
	require.Equal(t, refusals, again, "nothing is told twice")
}

// What carries a charge is an entry of its own whatever came before: it costs quota.
func TestChargedRefusalsAreNeverCountedAway(t *testing.T) {
	w := newWorld(t)
	ask, refusal := &governance.Ask{Party: "bank"}, w.policy.Load().Refuse(governance.Suspended)
	for range 200 {
		_, err := w.gate.Refuse(context.Background(), ask, refusal, nil)
		require.NoError(t, err)
	}
	size := w.log.Size()
	index, err := w.gate.Refuse(context.Background(), ask, refusal, w.hold(nil))
	require.NoError(t, err)
	require.Equal(t, size, index)
}
