package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The digest of a payload is what its definition says, computed one after another.
func TestPayloadHash(t *testing.T) {
	for _, n := range []int{0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3*chunkBytes + 7} {
		payload := random(n)
		text := binary.BigEndian.AppendUint64([]byte("yumen-snapshot-payload-v2\n"), uint64(n))
		for rest := payload; len(rest) > 0; rest = rest[min(len(rest), chunkBytes):] {
			sum := HashOf(rest[:min(len(rest), chunkBytes)])
			text = append(text, sum[:]...)
		}
		got, err := payloadHash(payload, nil)
		require.NoError(t, err)
		require.Equal(t, HashOf(text), got, n)
		blank := make([]byte, n)
		got, err = payloadHash(blank, func(chunk []byte, off int64) error {
			copy(chunk, payload[off:])
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, HashOf(text), got)
		require.Equal(t, payload, blank)
	}
	broken := errors.New("disk")
	_, err := payloadHash(make([]byte, 2*chunkBytes), func([]byte, int64) error { return broken })
	require.ErrorIs(t, err, broken)
}

// No byte of a snapshot of several chunks changes unnoticed, and none can be cut off or added.
func TestLargeSnapshotIsBoundByteForByte(t *testing.T) {
	o := testOptions(t)
	l := mustOpen(t, o)
	_, err := l.Append(context.Background(), Record{Kind: Release, Private: random(10)})
	require.NoError(t, err)
	payload := random(2*chunkBytes + 100)
	require.NoError(t, l.SaveSnapshot("s", 1, payload))
	require.NoError(t, l.Close())
	s, err := LoadSnapshot(context.Background(), o, "s")
	require.NoError(t, err)
	require.True(t, bytes.Equal(payload, s.Payload))
	path := filepath.Join(o.Dir, snapshotDir, snapshotFile("s", 1))
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	places := []int{snapshotHeader, snapshotHeader + chunkBytes - 1, snapshotHeader + chunkBytes, len(file) - 1}
	for i := range snapshotHeader {
		places = append(places, i)
	}
	refused := func(b []byte) {
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, err := LoadSnapshot(context.Background(), o, "s")
		require.ErrorIs(t, err, ErrNoSnapshot)
	}
	for _, at := range places {
		file[at] ^= 1
		refused(file)
		file[at] ^= 1
	}
	refused(file[:len(file)-1])
	refused(append(bytes.Clone(file), 0))
	swapped := bytes.Clone(file)
	copy(swapped[snapshotHeader:], file[snapshotHeader+chunkBytes:snapshotHeader+2*chunkBytes])
	copy(swapped[snapshotHeader+chunkBytes:], file[snapshotHeader:snapshotHeader+chunkBytes])
	refused(swapped)
}
