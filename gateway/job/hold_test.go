package job

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/release"
)

// A reservation is given back exactly where the log says that nothing was written: what may have
// been spent stays spent, and what was certainly not must not lock its owner out.
func TestHoldIsGivenBackOnlyIfNothingWasWritten(t *testing.T) {
	account := ledger.Account{Kind: ledger.Quota, Period: ledger.Day(noon.UnixMilli())}
	for name, c := range map[string]struct {
		err  error
		back bool
	}{
		"no error":              {nil, false},
		"caller went away":      {fmt.Errorf("append: %w", context.Canceled), true},
		"closed":                {fmt.Errorf("append: %w", audit.ErrClosed), true},
		"not durable":           {fmt.Errorf("append: %w", audit.ErrNotDurable), true},
		"altered":               {release.ErrAltered, true},
		"unknown":               {fmt.Errorf("append: %w", audit.ErrOutcomeUnknown), false},
		"unknown, log stopped":  {errors.Join(audit.ErrNotDurable, audit.ErrOutcomeUnknown), false},
		"went away while wrote": {fmt.Errorf("append: %w: %w", audit.ErrOutcomeUnknown, context.Canceled), false},
	} {
		l := ledger.New()
		all := []ledger.Limited{{Charge: ledger.Charge{Account: account, Amount: 5}, Limit: 5}}
		id := &ledger.Idem{Key: [16]byte{1}, Time: noon.UnixMilli()}
		h, err := l.Hold(context.Background(), noon.UnixMilli(), id, all)
		require.NoError(t, err)
		giveBack(h, c.err)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = l.Hold(ctx, noon.UnixMilli(), id, all)
		if c.back {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, context.Canceled, "%s: the key is still in flight", name)
		}
	}
	giveBack(nil, errors.New("nothing held"))
}
