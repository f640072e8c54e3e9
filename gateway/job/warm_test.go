package job

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

// After a start the registered tables are read again without being asked for, once for all of them, and the
// next table is judged beside them.
func TestWarm_TakesUpRegisteredTables(t *testing.T) {
	w := newRoom(t, town())
	w.apply("1", allByDistrict)
	require.Len(t, w.r.judges["housing"].done, 1)
	w.apply("1", allByDistrict, byLien)
	want := w.r.judges["housing"]
	w.restart()
	got := w.r.judges["housing"]
	require.True(t, samePatterns(want.done, got.done))
	require.Equal(t, want.units[bySubject].registry.Rank(), got.units[bySubject].registry.Rank())
	require.Equal(t, want.units[bySubject].registry.Atoms(), got.units[bySubject].registry.Atoms())
	require.Nil(t, got.shared)
	w.apply("1", allByDistrict, byLien, below60)
	require.Same(t, got, w.r.judges["housing"], "nothing is read twice")
	require.Equal(t, "-", w.shown("below60")["d0"])
	require.NoError(t, w.r.Close())
}

// A judge that knows the first of the tables goes on from there.
func TestWarm_TheRestIsTakenUpByWhoNeedsIt(t *testing.T) {
	w := newRoom(t, town())
	w.apply("1", allByDistrict, byLien, byAge)
	full := w.r.judges["housing"]
	w.r.forget("housing")
	more, err := w.r.warmOne(context.Background(), "housing")
	require.NoError(t, err)
	require.True(t, more)
	part := w.r.judges["housing"]
	require.Len(t, part.done, 1)
	require.NotNil(t, part.shared)
	require.NoError(t, w.r.AttackDataset(context.Background(), "housing"))
	require.Same(t, part, w.r.judges["housing"])
	require.Nil(t, part.shared)
	require.True(t, samePatterns(full.done, part.done))
	more, err = w.r.warmOne(context.Background(), "housing")
	require.NoError(t, err)
	require.False(t, more)

	w.r.forget("housing")
	w.book.broken = true
	_, err = w.r.warmOne(context.Background(), "housing")
	require.Error(t, err)
	require.Nil(t, w.r.judges["housing"])
	require.NoError(t, w.r.Close())
}

func samePatterns(a, b []*pattern) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameTable(a[i], b[i]) {
			return false
		}
	}
	return true
}

const (
	byLien = `{id: lien, dataset: housing, group_by: [lien], measures: [{kind: count}]}`
	byAge  = `{id: old, dataset: housing, filters: [{field: age, op: ">=", value: "30"}], measures: [{kind: count}]}`
)

// slow is a register whose description waits.
type slow struct {
	connectors.Source
	begun chan struct{}
	free  chan struct{}
}

func (s slow) Describe(ctx context.Context) (*connectors.Dataset, error) {
	select {
	case s.begun <- struct{}{}:
	default:
	}
	select {
	case <-s.free:
		return s.Source.Describe(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s slow) Open(ctx context.Context, scan connectors.Scan) (array.RecordReader, error) {
	return s.Source.Open(ctx, scan)
}

func slowRunner(t *testing.T, within time.Duration) (*Runner, slow) {
	s := slow{begun: make(chan struct{}, 1), free: make(chan struct{})}
	o := optionsIn(t, t.TempDir())
	o.ApplyWithin = within
	o.Source = func(d *governance.Dataset) (connectors.Source, error) {
		return slow{schemaOnly{d}, s.begun, s.free}, nil
	}
	r, err := Open(context.Background(), o)
	require.NoError(t, err)
	return r, s
}

// A domain file goes on when its caller is gone, and is in force when it is done.
func TestApply_OutlivesItsCaller(t *testing.T) {
	r, s := slowRunner(t, 0)
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan error, 1)
	go func() {
		_, err := r.Apply(ctx, change1(t))
		got <- err
	}()
	<-s.begun
	cancel()
	require.ErrorIs(t, <-got, context.Canceled)
	require.Nil(t, r.state.Load().policy.Domain())

	// One that gave up before its turn changes nothing.
	_, err := r.Apply(ctx, &spec.Change{Party: "nobody"})
	require.ErrorIs(t, err, context.Canceled)

	close(s.free)
	require.Eventually(t, func() bool { return r.state.Load().policy.Domain() != nil }, 10*time.Second, time.Millisecond)
	require.NoError(t, r.Close())
	_, err = r.Apply(context.Background(), change1(t))
	require.ErrorIs(t, err, context.Canceled, "closed")
}

func TestApply_EndsWithItsBoundAndWithTheRunner(t *testing.T) {
	r, _ := slowRunner(t, time.Millisecond)
	_, err := r.Apply(context.Background(), change1(t))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, r.Close())

	r, s := slowRunner(t, 0)
	got := make(chan error, 1)
	go func() {
		_, err := r.Apply(context.Background(), change1(t))
		got <- err
	}()
	<-s.begun
	require.NoError(t, r.Close(), "waits for it")
	require.ErrorIs(t, <-got, context.Canceled)
}

// awayRegister cannot be described.
type awayRegister struct{ schemaOnly }

func (awayRegister) Describe(context.Context) (*connectors.Dataset, error) { return nil, errData }

// Templates on a register that is away are a finding and not in force; where they answer already the file is
// refused, so that it does not take them out of service.
func TestMountAll_RegisterAway(t *testing.T) {
	o := optionsIn(t, t.TempDir())
	o.Source = func(d *governance.Dataset) (connectors.Source, error) { return awayRegister{schemaOnly{d}}, nil }
	r, err := Open(context.Background(), o)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	d := &governance.Domain{ID: "jilin-city", Settings: governance.DefaultSettings(),
		Datasets:  []governance.Dataset{{ID: "d", Version: "1", Subject: governance.Subject{Field: "rid", Identifier: "opaque"}}},
		Templates: []governance.Template{{ID: "has-lien", Dataset: "d"}, {ID: "other", Dataset: "elsewhere"}}}
	out, found, away, err := r.mountAll(context.Background(), d)
	require.NoError(t, err)
	require.Empty(t, out)
	require.Empty(t, found)
	require.Equal(t, []string{"d"}, away)
	findings, err := tableFindings(d, &judged{unmounted: away})
	require.NoError(t, err)
	require.Equal(t, []spec.Registered{{Dataset: "d", Version: "1", Templates: []string{"has-lien"}, Rule: string(governance.DatasetMissing)}}, findings)

	r.state.Store(&state{policy: r.state.Load().policy, datasets: map[string]*mounted{"d": {}}})
	_, _, _, err = r.mountAll(context.Background(), d)
	require.ErrorIs(t, err, errAway)
	r.state.Store(&state{policy: r.state.Load().policy})
}

func TestOptions_Bounds(t *testing.T) {
	for hour, good := range map[int]bool{-1: false, 0: true, 1: true, 24: true, 25: false} {
		o := optionsIn(t, t.TempDir())
		o.AttackHour = hour
		require.Equal(t, good, o.check() == nil, hour)
	}
	o := optionsIn(t, t.TempDir())
	o.ApplyWithin = -1
	require.Error(t, o.check())
	o.ApplyWithin = 0
	require.NoError(t, o.check())
	require.Equal(t, 2*time.Hour, o.ApplyWithin)
}
