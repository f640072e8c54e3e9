package lookup

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

func TestPaceCountsFromItsFirstCall(t *testing.T) {
	p := pace{gentle: true}
	p.pause()
	require.False(t, p.since.IsZero())
	begun := p.since.Add(-leastRun)
	p.since = begun
	p.pause()
	require.True(t, p.since.After(begun), "what ran long enough is followed by a pause and a new beginning")
	require.GreaterOrEqual(t, p.since.Sub(begun), 2*leastRun, "the pause is longer than the run")
}

func TestThePaceOfABuildThatIsNotGentleNeverPauses(t *testing.T) {
	p := pace{since: time.Now().Add(-time.Hour)}
	since := p.since
	p.pause()
	require.Equal(t, since, p.since)
}

// syncs notes up to where a file was written out early.
type syncs struct {
	vfs.File
	to []int64
}

func (s *syncs) SyncTo(n int64) (bool, error) {
	s.to = append(s.to, n)
	return s.File.SyncTo(n)
}

func TestSpreadWritesOutWholePagesEarlyAndChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	f, err := vfs.Default.Create(path, vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	noted := &syncs{File: f}
	s := &spread{File: noted}
	piece := make([]byte, 5000)
	var want []byte
	for i := range 200 {
		for j := range piece {
			piece[j] = byte(i + j)
		}
		want = append(want, piece...)
		n, err := s.Write(piece)
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
	}
	require.NoError(t, s.Sync())
	require.NoError(t, s.Close())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Len(t, noted.to, len(want)/spreadBytes)
	last := int64(0)
	for _, to := range noted.to {
		require.Zero(t, to%4096)
		require.Less(t, last, to)
		require.LessOrEqual(t, to-last, int64(spreadBytes+2*4096))
		last = to
	}
}
