package ledger

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
)

func TestHoldReservesAllOrNothing(t *testing.T) {
	l := New()
	a, b := quotaAccount(1), quotaAccount(2)
	first := hold(t, l, nil, limited(a, 2, 3), limited(b, 1, 1))
	require.EqualValues(t, 0, first.Before)

	_, err := l.Hold(context.Background(), noon, nil, []Limited{limited(a, 1, 3), limited(b, 1, 1)})
	var exhausted *Exhausted
	require.ErrorAs(t, err, &exhausted)
	require.Equal(t, b, exhausted.Account)
	require.NotContains(t, err.Error(), string(b.Scope[:1]))

	// The refused hold left nothing behind: the last unit of a is still to be had, and no more.
	second := hold(t, l, nil, limited(a, 1, 3))
	require.EqualValues(t, 2, second.Before)
	_, err = l.Hold(context.Background(), noon, nil, []Limited{limited(a, 1, 3)})
	require.ErrorAs(t, err, &exhausted)

	first.Cancel()
	first.Cancel() // a second time gives nothing back twice
	third := hold(t, l, nil, limited(a, 2, 3), limited(b, 1, 1))
	require.EqualValues(t, 1, third.Before)
	require.Greater(t, third.Record.Serial, second.Record.Serial)
}

func TestHoldSumsChargesOnOneAccount(t *testing.T) {
	l := New()
	a := quotaAccount(1)
	_, err := l.Hold(context.Background(), noon, nil, []Limited{limited(a, 2, 3), limited(a, 2, 3)})
	var exhausted *Exhausted
	require.ErrorAs(t, err, &exhausted)
	hold(t, l, nil, limited(a, 2, 3), limited(a, 1, 3))
}

func TestHoldRefusesAmountsThatWouldWrap(t *testing.T) {
	for name, charges := range map[string][]Limited{
		"zero":          {limited(quotaAccount(1), 0, 10)},
		"negative":      {limited(quotaAccount(1), -5, 10)},
		"second is":     {limited(quotaAccount(1), 1, 10), limited(quotaAccount(2), -1, 10)},
		"sum overflows": {limited(quotaAccount(1), math.MaxInt64, math.MaxInt64-1)},
		"pair overflows": {
			limited(quotaAccount(1), math.MaxInt64-1, math.MaxInt64-1), limited(quotaAccount(1), math.MaxInt64-1, math.MaxInt64-1)},
	} {
		var exhausted *Exhausted
		_, err := New().Hold(context.Background(), noon, nil, charges)
		require.ErrorAs(t, err, &exhausted, name)
	}
	// What is already spent saturates instead of wrapping to a negative balance.
	l := New()
	for range 2 {
		apply(t, l, noon, &Record{Charges: []Charge{{Account: quotaAccount(1), Amount: math.MaxInt64}}})
	}
	require.EqualValues(t, math.MaxInt64, l.Spent(quotaAccount(1)))
	_, err := l.Hold(context.Background(), noon, nil, []Limited{limited(quotaAccount(1), 1, math.MaxInt64-1)})
	require.Error(t, err)
}

func TestApplyWantsFramesInOrder(t *testing.T) {
	l := New()
	empty, err := (&Record{}).AppendTo(nil)
	require.NoError(t, err)
	require.Error(t, l.Apply(frame(1, noon, empty, nil)))
	require.NoError(t, l.Apply(frame(0, noon, empty, nil)))
	before := l.Digest()
	require.Error(t, l.Apply(frame(0, noon, empty, nil)))
	require.Error(t, l.Apply(frame(2, noon, empty, nil)))
	require.ErrorIs(t, l.Apply(frame(1, noon, []byte("not a record"), nil)), ErrRecord)
	require.Equal(t, before, l.Digest())
	require.EqualValues(t, 1, l.Size())
}

func TestIdempotencyAnswersTheSameRequestAndNoOther(t *testing.T) {
	l := New()
	id := &Idem{Key: [16]byte{1}, Request: [16]byte{2}, Time: noon}
	other := &Idem{Key: [16]byte{1}, Request: [16]byte{3}, Time: noon}
	h := hold(t, l, id, limited(quotaAccount(1), 1, 10))

	_, err := l.Hold(context.Background(), noon, other, nil)
	require.ErrorIs(t, err, ErrConflict, "in flight")

	apply(t, l, noon, &Record{}) // a frame of somebody else in between
	land(t, l, noon, h)
	_, err = l.Hold(context.Background(), noon, other, nil)
	require.ErrorIs(t, err, ErrConflict, "stored")
	var stored *Stored
	_, err = l.Hold(context.Background(), noon, id, nil)
	require.ErrorAs(t, err, &stored)
	require.EqualValues(t, 1, stored.Index)
	require.EqualValues(t, 1, l.Spent(quotaAccount(1)))
}

func TestIdempotencyWaitsForTheOneInFlight(t *testing.T) {
	for name, end := range map[string]func(*Ledger, *Hold){
		"landed":    func(l *Ledger, h *Hold) { land(t, l, noon, h) },
		"cancelled": func(_ *Ledger, h *Hold) { h.Cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			l := New()
			id := &Idem{Key: [16]byte{1}, Request: [16]byte{2}, Time: noon}
			h := hold(t, l, id, limited(quotaAccount(1), 1, 10))

			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, err := l.Hold(ctx, noon, id, nil)
			require.ErrorIs(t, err, context.Canceled)

			const waiters = 8
			var wg sync.WaitGroup
			var mu sync.Mutex
			var answered, held int
			for range waiters {
				wg.Go(func() {
					again, err := l.Hold(context.Background(), noon, id, []Limited{limited(quotaAccount(1), 1, 10)})
					var stored *Stored
					mu.Lock()
					switch {
					case errors.As(err, &stored):
						answered++
					case err == nil:
						held++
					}
					mu.Unlock()
					if err == nil {
						land(t, l, noon, again)
					}
				})
			}
			end(l, h)
			wg.Wait()
			require.Equal(t, waiters, answered+held)
			require.EqualValues(t, 1, l.Spent(quotaAccount(1)), "one charge for one request, however often it is sent")
		})
	}
}

func TestHorizonEdges(t *testing.T) {
	for name, c := range map[string]struct {
		made int64
		ok   bool
	}{
		"oldest":     {noon - Horizon.Milliseconds(), true},
		"too old":    {noon - Horizon.Milliseconds() - 1, false},
		"newest":     {noon + ClockSkew.Milliseconds(), true},
		"too new":    {noon + ClockSkew.Milliseconds() + 1, false},
		"no time":    {0, false},
		"before all": {math.MinInt64 + 1, false},
		"forever":    {Forever, true},
		"after all":  {math.MaxInt64, false},
	} {
		_, err := New().Hold(context.Background(), noon, &Idem{Time: c.made}, nil)
		if c.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, ErrHorizon, name)
		}
	}
}

// A request that read the clock before a long wait must not bring a forgotten key back to life.
func TestHorizonIsJudgedByTheNewestFrameToo(t *testing.T) {
	l := New()
	id := &Idem{Key: [16]byte{1}, Request: [16]byte{2}, Time: noon - Horizon.Milliseconds() + 10}
	land(t, l, noon, hold(t, l, id, limited(quotaAccount(1), 1, 10)))
	apply(t, l, noon+dayMS, &Record{}) // a new day: the key is pruned
	_, err := l.Hold(context.Background(), noon, id, []Limited{limited(quotaAccount(1), 1, 10)})
	require.ErrorIs(t, err, ErrHorizon)
}

func TestClockSetBackRefillsNothing(t *testing.T) {
	l := New()
	apply(t, l, noon, &Record{Charges: []Charge{{Account: quotaAccount(1), Amount: 5}}})
	yesterday := time.UnixMilli(noon - dayMS)
	require.Equal(t, noon, l.Now(yesterday))
	require.Equal(t, noon+1, l.Now(time.UnixMilli(noon+1)))

	// Frames whose own time lies in the past change neither time nor balance of the day.
	apply(t, l, noon-5*dayMS, &Record{})
	require.Equal(t, noon, l.Now(yesterday))
	require.EqualValues(t, 5, l.Spent(quotaAccount(1)))
}

func TestPruneDropsPastDaysAndKeepsConsentYears(t *testing.T) {
	l := New()
	consent := Account{Kind: ConsentUse, Scope: Scope{7}, Period: Year(noon)}
	id := &Idem{Key: [16]byte{1}, Time: noon}
	apply(t, l, noon, &Record{Idem: id, Charges: []Charge{{Account: quotaAccount(1), Amount: 5}, {Account: consent, Amount: 2}}})
	late := hold(t, l, nil, limited(quotaAccount(2), 1, 10))

	apply(t, l, noon+dayMS, &Record{})
	require.Zero(t, l.Spent(quotaAccount(1)))
	require.EqualValues(t, 2, l.Spent(consent))
	var stored *Stored
	_, err := l.Hold(context.Background(), noon+dayMS, id, nil)
	require.ErrorAs(t, err, &stored, "a key lives for the horizon, not for the day")

	land(t, l, noon+dayMS, late) // held yesterday, durable today
	require.EqualValues(t, 1, l.Spent(quotaAccount(2)))

	apply(t, l, noon+8*dayMS, &Record{})
	_, found := l.keys.find(&[16]byte{})
	require.False(t, found)
	require.Empty(t, l.keys.recent)
	require.Len(t, l.accounts, 1)
}

// Who read the clock before midnight and comes to charge after the day's balances are gone gets nothing:
// what that day had spent is not known any more.
func TestAPastDayTakesNoMoreCharges(t *testing.T) {
	l := New()
	apply(t, l, noon, &Record{Charges: []Charge{{Account: quotaAccount(1), Amount: 5}}})
	apply(t, l, noon+dayMS, &Record{})
	_, err := l.Hold(context.Background(), noon, nil, []Limited{limited(quotaAccount(1), 1, 5)})
	var exhausted *Exhausted
	require.ErrorAs(t, err, &exhausted)
	today := Account{Kind: Quota, Scope: Scope{1}, Period: Day(noon + dayMS)}
	_, err = l.Hold(context.Background(), noon+dayMS, nil, []Limited{limited(today, 5, 5)})
	require.NoError(t, err)
	forever := Account{Kind: PrivacyRho, Scope: Scope{1}}
	_, err = l.Hold(context.Background(), noon, nil, []Limited{limited(forever, 5, 5)})
	require.NoError(t, err, "only days pass")
}

func TestDayAndYearAreThoseOfShanghai(t *testing.T) {
	last := time.Date(2026, 12, 31, 15, 59, 59, 999e6, time.UTC).UnixMilli()
	require.EqualValues(t, 2026, Year(last))
	require.EqualValues(t, 2027, Year(last+1))
	require.Equal(t, Day(last)+1, Day(last+1))
	require.EqualValues(t, 0, Day(0))
}

func TestRace256OnOneAccount(t *testing.T) {
	const workers, limit = 256, 100
	l := New()
	var wg sync.WaitGroup
	var mu sync.Mutex // stands for the log: one writer
	var frames []audit.Frame
	granted := 0
	for i := range workers {
		wg.Go(func() {
			h, err := l.Hold(context.Background(), noon, &Idem{Key: [16]byte{byte(i)}, Time: noon}, []Limited{limited(quotaAccount(1), 1, limit)})
			if err != nil {
				return
			}
			if i%3 == 0 {
				h.Cancel()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			granted++
			frames = append(frames, land(t, l, noon, h))
		})
	}
	wg.Wait()
	require.LessOrEqual(t, granted, limit)
	require.EqualValues(t, granted, l.Spent(quotaAccount(1)))
	require.Zero(t, l.accounts[quotaAccount(1)].held)
	require.Empty(t, l.inflight)

	again := New()
	for _, f := range frames {
		require.NoError(t, again.Apply(f))
	}
	require.Equal(t, l.Digest(), again.Digest())
}
