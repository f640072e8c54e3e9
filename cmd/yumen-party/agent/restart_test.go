package agent

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

var errPower = errors.New("power is gone")

// crash lets the holder's n-th step of writing, or every following call, fail, and takes
// the state up again from the disk.
func (w *town) crash(name string, n int) (met *bool) {
	met = new(bool)
	left := n
	w.agents[name].store.step = func(string) error {
		if left--; left < 0 {
			*met = true
			return errPower
		}
		return nil
	}
	return met
}

// Power is lost before every step of writing, in ceremony, judgement and answer: the
// holder comes back, nothing is said twice in two ways, the query is answered.
func TestPowerLossAtEveryStep(t *testing.T) {
	for n := 1; ; n += 37 {
		w := newTown(t)
		met := w.crash("exchange", n)
		power := func() {
			for range 12 {
				before := w.gate.count()
				for _, h := range append([]string{"bureau"}, holders...) {
					if err := round(w.agents[h]); err != nil {
						require.ErrorIs(t, err, errPower, "step %d", n)
						require.Equal(t, "exchange", h)
						w.agents[h] = w.open(h)
					}
				}
				if w.gate.count() == before {
					return
				}
			}
			t.Fatal("no end")
		}
		id := w.propose()
		power()
		require.Equal(t, Done, w.agents["exchange"].book.Ceremonies[id].Stage, "step %d", n)
		sum := w.provide(100)
		q, query, err := w.query(nil)
		require.NoError(t, err)
		power()
		require.Equal(t, Answered, w.agents["exchange"].book.Queries[query].Stage, "step %d", n)
		require.Zero(t, w.agents["exchange"].book.Older, "step %d", n)
		out, err := w.follow(q)
		require.NoError(t, err)
		requireSum(t, sum, out)
		require.Empty(t, out.Cheaters)
		if !*met {
			require.Greater(t, n, 20)
			return
		}
	}
}

func copyDir(t *testing.T, from string) string {
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	require.NoError(t, os.Chmod(to, 0o700))
	require.NoError(t, os.Chmod(to+"/keys", 0o700))
	keys, err := os.ReadDir(to + "/keys")
	require.NoError(t, err)
	for _, k := range keys {
		require.NoError(t, os.Chmod(to+"/keys/"+k.Name(), 0o600))
	}
	return to
}

// A holder restored from an old copy is found out, says nothing new, and the result is
// the same.
func TestOldCopyIsFoundOut(t *testing.T) {
	w, sum := ready(t)
	require.NoError(t, w.agents["exchange"].Close())
	old := copyDir(t, w.dirs["exchange"])
	w.agents["exchange"] = nil
	w.open("exchange")
	q, query, err := w.query(nil)
	require.NoError(t, err)
	w.settle()
	answers := len(w.gate.told[query])
	w.dirs["exchange"] = old
	w.open("exchange")
	require.Nil(t, w.agents["exchange"].book.Queries[query])
	w.settle()
	require.Positive(t, w.agents["exchange"].book.Older)
	require.Equal(t, Answered, w.agents["exchange"].book.Queries[query].Stage)
	require.Len(t, w.gate.told[query], answers)
	out, err := w.follow(q)
	require.NoError(t, err)
	requireSum(t, sum, out)
	require.Empty(t, out.Cheaters)
}

// The way to the gateway may break anywhere.
func TestBrokenWayIsTriedAgain(t *testing.T) {
	w := newTown(t)
	calls := 0
	w.gate.fail = func(party, _ string) error {
		if calls++; party == "auditor" && calls%11 == 0 {
			return status.Error(codes.Unavailable, "away")
		}
		return nil
	}
	id := w.propose()
	for range 60 {
		for _, h := range holders {
			if err := round(w.agents[h]); err != nil {
				require.True(t, Passing(err), "%v", err)
			}
		}
	}
	for _, h := range holders {
		require.Equal(t, Done, w.agents[h].book.Ceremonies[id].Stage, h)
	}
}

// An upload that breaks off goes on where it was, and never with another source.
func TestUploadGoesOn(t *testing.T) {
	w := newTown(t)
	w.propose()
	w.settle()
	p, src, _ := w.people(300)
	left := 3
	w.gate.fail = func(_, call string) error {
		if call == "leaf" {
			if left--; left < 0 {
				return status.Error(codes.Unavailable, "away")
			}
		}
		return nil
	}
	_, err := w.agents["bureau"].Provide(context.Background(), p, src)
	require.Error(t, err)
	w.gate.fail = nil
	w.open("bureau")
	done, err := w.agents["bureau"].Provide(context.Background(), p, src)
	require.NoError(t, err)
	require.Zero(t, done.Values, "everything was encrypted before")
	require.Equal(t, int64(10), done.Leaves) // 300 rows, 64 a batch, two lanes
	require.Less(t, done.Uploaded, done.Leaves)
	again, err := w.agents["bureau"].Provide(context.Background(), p, src)
	require.NoError(t, err)
	require.Equal(t, done.Manifest, again.Manifest)
	require.Zero(t, again.Uploaded)

	other, otherSrc, _ := w.people(301)
	_, err = w.agents["bureau"].Provide(context.Background(), other, otherSrc)
	require.ErrorIs(t, err, ErrChanged)
	p.Terms = "otherwise"
	_, err = w.agents["bureau"].Provide(context.Background(), p, src)
	require.ErrorIs(t, err, ErrChanged)
}

func TestNoEncryptionWithoutACertificate(t *testing.T) {
	w := newTown(t)
	p, src, _ := w.people(100)
	require.False(t, w.agents["bureau"].HasKeys(&p))
	_, err := w.agents["bureau"].Provide(context.Background(), p, src)
	require.ErrorIs(t, err, ErrNoKey)
	w.propose()
	w.settle()
	require.True(t, w.agents["bureau"].HasKeys(&p))
	w.agents["bureau"].o.Clock = func() time.Time { return time.Now().Add(48 * time.Hour) }
	_, err = w.agents["bureau"].Provide(context.Background(), p, src)
	require.ErrorIs(t, err, ErrNoKey, "expired")
	var _ connectors.Source = src
}

func TestStateIsOneProcessOneOwner(t *testing.T) {
	w := newTown(t)
	_, err := Open(w.options("auditor"))
	require.ErrorIs(t, err, ErrLocked)
	o := w.options("auditor")
	o.Identity = w.ids["exchange"]
	require.NoError(t, w.agents["auditor"].Close())
	delete(w.agents, "auditor")
	_, err = Open(o)
	require.ErrorIs(t, err, ErrState, "sealed under another key")
	o = w.options("auditor")
	w.parties.Find("auditor").Agent = w.parties.Find("bank").Agent
	_, err = Open(o)
	require.ErrorIs(t, err, encrypted.ErrTrust)
	_, err = LoadIdentity(t.TempDir(), nil)
	require.ErrorIs(t, err, ErrNoState)
	_, err = InitIdentity(w.dirs["auditor"], "auditor", nil)
	require.ErrorIs(t, err, os.ErrExist)
}
