package ledger

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/gateway/audit"
)

const machineLimit = 20

// machine drives a ledger through any interleaving and keeps the frames it wrote.
type machine struct {
	l        *Ledger
	live     []*Hold
	frames   []audit.Frame
	at       int64 // clock, also set back
	restored *Ledger
	midway   int
}

func (m *machine) charges(t *rapid.T) []Limited {
	var out []Limited
	for range rapid.IntRange(1, 3).Draw(t, "charges") {
		kind := AccountKind(rapid.IntRange(int(Quota), int(UnitRho)).Draw(t, "kind"))
		a := Account{Kind: kind, Scope: Scope{rapid.ByteRange(0, 2).Draw(t, "owner")}, Period: Day(m.l.Now(timeOf(m.at)))}
		if kind == ConsentUse {
			a.Period = Year(m.l.Now(timeOf(m.at)))
		}
		out = append(out, limited(a, rapid.Int64Range(1, 8).Draw(t, "amount"), machineLimit))
	}
	return out
}

func (m *machine) hold(t *rapid.T) {
	var idem *Idem
	now := m.l.Now(timeOf(m.at))
	if rapid.Bool().Draw(t, "keyed") {
		idem = &Idem{Key: [16]byte{rapid.Byte().Draw(t, "key")}, Request: [16]byte{rapid.ByteRange(0, 1).Draw(t, "request")},
			Time: now - rapid.Int64Range(-ClockSkew.Milliseconds(), Horizon.Milliseconds()).Draw(t, "age")}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // in flight: do not wait
	h, err := m.l.Hold(ctx, now, idem, m.charges(t))
	var exhausted *Exhausted
	var stored *Stored
	if err != nil {
		require.True(t, errors.As(err, &exhausted) || errors.As(err, &stored) || errors.Is(err, ErrConflict) || errors.Is(err, context.Canceled), "%v", err)
		return
	}
	m.live = append(m.live, h)
}

func (m *machine) take(t *rapid.T) *Hold {
	if len(m.live) == 0 {
		t.Skip("nothing held")
	}
	i := rapid.IntRange(0, len(m.live)-1).Draw(t, "which")
	h := m.live[i]
	m.live = append(m.live[:i], m.live[i+1:]...)
	return h
}

func (m *machine) check(t *rapid.T) {
	m.l.mu.Lock()
	defer m.l.mu.Unlock()
	held := map[Account]int64{}
	for _, h := range m.live {
		for _, c := range h.Record.Charges {
			held[c.Account] += c.Amount
		}
	}
	for a, b := range m.l.accounts {
		require.LessOrEqual(t, b.spent+b.held, int64(machineLimit))
		require.GreaterOrEqual(t, b.spent, int64(0))
		require.Equal(t, held[a], b.held)
	}
	for a, n := range held {
		require.Equal(t, n, m.l.accounts[a].held)
	}
}

func TestAnyInterleavingKeepsTheLimitAndReplays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{l: New(), at: noon}
		t.Repeat(map[string]func(*rapid.T){
			"hold":   m.hold,
			"cancel": func(t *rapid.T) { m.take(t).Cancel() },
			"apply":  func(t *rapid.T) { m.frames = append(m.frames, land(t, m.l, m.at, m.take(t))) },
			"clock":  func(t *rapid.T) { m.at += rapid.Int64Range(-3*dayMS, 3*dayMS).Draw(t, "step") },
			"snapshot": func(t *rapid.T) {
				size, state := m.l.Snapshot()
				require.EqualValues(t, len(m.frames), size)
				l, err := Restore(state)
				require.NoError(t, err)
				require.Equal(t, m.l.Digest(), l.Digest())
				m.restored, m.midway = l, len(m.frames)
			},
			"": m.check,
		})
		replayed := New()
		for _, f := range m.frames {
			require.NoError(t, replayed.Apply(f))
		}
		require.Equal(t, m.l.Digest(), replayed.Digest())
		if m.restored == nil {
			return
		}
		for _, f := range m.frames[m.midway:] {
			require.NoError(t, m.restored.Apply(f))
		}
		require.Equal(t, m.l.Digest(), m.restored.Digest(), "from a snapshot on")
	})
}

func TestDigestDoesNotDependOnWhatIsHeld(t *testing.T) {
	a, b := New(), New()
	rec := &Record{Serial: 1, Charges: []Charge{{Account: quotaAccount(1), Amount: 1}}}
	h := hold(t, a, nil, limited(quotaAccount(2), 1, 10))
	apply(t, a, noon, rec)
	apply(t, b, noon, rec)
	require.Equal(t, a.Digest(), b.Digest())
	apply(t, a, noon+dayMS, &Record{})
	apply(t, b, noon+dayMS, &Record{})
	require.Equal(t, a.Digest(), b.Digest(), "pruned around a hold")
	h.Cancel()
	require.Equal(t, a.Digest(), b.Digest())
}
