package chaos

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// scratch is a directory for copies: in memory where there is room, since what is judged there is what
// the files hold and not when it got to the disk.
func scratch(t *testing.T) string {
	t.Helper()
	const memory, room = "/dev/shm", 4 << 30
	var fs unix.Statfs_t
	if err := unix.Statfs(memory, &fs); err != nil || int64(fs.Bavail)*fs.Bsize < room {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "yumen-chaos-") //nolint:usetesting // in memory, where t.TempDir is not
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
