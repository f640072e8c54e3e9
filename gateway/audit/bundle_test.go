package audit

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func testBundle(t testing.TB, l *Log, from, to uint64) *Bundle {
	t.Helper()
	path, cp, err := l.ProveConsistency(context.Background(), to)
	require.NoError(t, err)
	entries, err := l.Entries(context.Background(), from, to)
	require.NoError(t, err)
	return &Bundle{From: from, To: to, Entries: entries, Proof: path, Checkpoint: cp.Text}
}

func TestBundleTravelsWhole(t *testing.T) {
	l := mustOpen(t, testOptions(t))
	defer l.Close()
	acks := fill(t, l, 0, 300)
	b := testBundle(t, l, 100, 270)
	text, err := b.Encode()
	require.NoError(t, err)
	got, err := ParseBundle(text)
	require.NoError(t, err)
	require.Equal(t, b, got)
	require.Equal(t, acks[100].Entry, got.Entries[:EntrySize])
	cp, err := ParseCheckpoint(got.Checkpoint, testOrigin, testName, fakeSigner{"one"}.verify)
	require.NoError(t, err)
	root, err := l.RootAt(270)
	require.NoError(t, err)
	require.NoError(t, VerifyConsistency(&Checkpoint{Size: 270, Root: root}, cp, got.Proof))
	_, err = l.Entries(context.Background(), 0, 301)
	require.ErrorIs(t, err, ErrNoEntry)
	_, err = l.RootAt(301)
	require.ErrorIs(t, err, ErrNoEntry)
	for i := range text {
		if bad := append([]byte(nil), text...); i%7 == 0 {
			bad[i] ^= 0x20
			if p, err := ParseBundle(bad); err == nil {
				require.NotEqual(t, b, p)
			}
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	l := mustOpen(f, testOptions(f))
	fill(f, l, 0, 5)
	text, err := testBundle(f, l, 1, 4).Encode()
	require.NoError(f, err)
	require.NoError(f, l.Close())
	f.Add(text)
	f.Add([]byte(`{"checkpoint":"","entries":"","format":1,"from":0,"proof":null,"to":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ParseBundle(text)
		if err != nil {
			return
		}
		again, err := b.Encode()
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	})
}

func FuzzParsePushReceipt(f *testing.F) {
	text, err := (&PushReceipt{Origin: testOrigin, Size: 7, Signature: make([]byte, SignatureSize)}).Encode()
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParsePushReceipt(text)
		if err != nil {
			return
		}
		again, err := r.Encode()
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	})
}
