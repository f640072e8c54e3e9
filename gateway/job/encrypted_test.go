package job

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/compute/he"
	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/encrypted"
	"github.com/yumen-project/yumen/gateway/ledger"
)

// pendingQuery puts a query into the log, as if a crash came right after.
func pendingQuery(t *testing.T, r *Runner, hash encrypted.Hash) {
	t.Helper()
	rec := &encrypted.Record{Kind: encrypted.Query, Hash: hash, Thread: hash, Party: "bank", Query: &encrypted.QueryFacts{
		Requester: "bank", Scenario: "s", Aggregate: "a", Plan: hash, Holders: []string{"x", "y", "z"}, Threshold: 2, Expiry: noon.Unix() + 3600,
		Keys: []encrypted.KeyFacts{{Key: encrypted.Hash{9}, Scalars: 1}},
	}}
	_, err := (&Encrypted{r: r}).append(context.Background(), rec)
	require.NoError(t, err)
}

func openEncrypted(t *testing.T, r *Runner, dir string) *Encrypted {
	t.Helper()
	p, err := he.InsecureTestParameters(6, false)
	require.NoError(t, err)
	e, err := OpenEncrypted(r, EncryptedOptions{Dir: dir, Parameters: []*he.Parameters{p}})
	require.NoError(t, err)
	return e
}

// A release whose frame was durable when the machine died is a release, whatever its approvals and the policy
// are worth at the next start; it is charged once. What had no frame is judged anew.
func TestACrashAfterTheFrameOfAnEncryptedRelease(t *testing.T) {
	dir, rooms := t.TempDir(), t.TempDir()
	r, err := Open(context.Background(), optionsIn(t, dir))
	require.NoError(t, err)
	out, pending := encrypted.Hash{1}, encrypted.Hash{2}
	pendingQuery(t, r, out)
	pendingQuery(t, r, pending)
	account := ledger.Account{Kind: ledger.Quota, Scope: ledger.Scope{3}, Period: ledger.Day(r.Now())}
	private, err := (&ledger.Record{Serial: 1, Idem: queryKey(out), Charges: []ledger.Charge{{Account: account, Amount: 1}}}).AppendTo(nil)
	require.NoError(t, err)
	a, err := r.log.Append(context.Background(), audit.Record{Kind: audit.Release, Time: r.Now(), Statement: audit.Hash{4}, Private: private})
	require.NoError(t, err)

	for range 2 {
		e := openEncrypted(t, r, rooms)
		v, err := e.room.Look(out)
		require.NoError(t, err)
		require.True(t, v.Released)
		require.Equal(t, a.Index, v.Release)
		require.Eventually(t, func() bool {
			v, err := e.room.Look(pending)
			return err == nil && v.Ended != ""
		}, 10*time.Second, 20*time.Millisecond, "nobody of that name may ask, and its plan is gone")
		require.EqualValues(t, 1, r.ledger.Spent(account))
		require.NoError(t, e.Close())
		require.NoError(t, r.Close())
		r, err = Open(context.Background(), optionsIn(t, dir))
		require.NoError(t, err)
	}
	require.NoError(t, r.Close())
}

// Frames of encrypted aggregation change nothing of the domain, and survive a snapshot.
func TestEncryptedRecordsAreOfTheHistory(t *testing.T) {
	dir := t.TempDir()
	r, err := Open(context.Background(), optionsIn(t, dir))
	require.NoError(t, err)
	pendingQuery(t, r, encrypted.Hash{1})
	require.NoError(t, r.Close()) // saves a snapshot
	r, err = Open(context.Background(), optionsIn(t, dir))
	require.NoError(t, err)
	records, err := r.encryptedRecords()
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, encrypted.Hash{1}, records[0].record.Hash)
	require.EqualValues(t, 1, records[0].index)
	require.NoError(t, r.Close())
}
