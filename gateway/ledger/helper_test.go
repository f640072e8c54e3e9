package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
)

// noon is a day's middle in Asia/Shanghai.
var noon = time.Date(2026, 10, 31, 4, 0, 0, 0, time.UTC).UnixMilli()

const dayMS = 24 * 3600 * 1000

func quotaAccount(owner byte) Account {
	return Account{Kind: Quota, Scope: Scope{owner}, Period: Day(noon)}
}

func limited(a Account, amount, limit int64) Limited {
	return Limited{Charge: Charge{Account: a, Amount: amount}, Limit: limit}
}

// apply gives l a record as its next frame, as a replay would.
func apply(t require.TestingT, l *Ledger, at int64, r *Record) {
	private, err := r.AppendTo(nil)
	require.NoError(t, err)
	require.NoError(t, l.Apply(frame(l.Size(), at, private, nil)))
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms) }

func frame(index uint64, at int64, private []byte, hint any) audit.Frame {
	return audit.Frame{Index: index, Entry: audit.Entry{Kind: audit.Release, Time: at}, Private: private, Hint: hint}
}

func hold(t testing.TB, l *Ledger, idem *Idem, charges ...Limited) *Hold {
	t.Helper()
	h, err := l.Hold(context.Background(), noon, idem, charges)
	require.NoError(t, err)
	return h
}

// land makes the frame of a hold durable and applies it live.
func land(t require.TestingT, l *Ledger, at int64, h *Hold) audit.Frame {
	private, err := h.Record.AppendTo(nil)
	require.NoError(t, err)
	f := frame(l.Size(), at, private, h)
	require.NoError(t, l.Apply(f))
	f.Hint = nil
	return f
}
