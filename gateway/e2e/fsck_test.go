package e2e

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/server"
)

// fsck checks the data directory as `yumen fsck` does.
func (g *gateway) fsck() (*server.FsckReport, error) {
	g.t.Helper()
	config, err := server.Resolve(map[string]string{"data-dir": g.data()}, func(string) (string, bool) { return "", false }, nil)
	require.NoError(g.t, err)
	require.NoError(g.t, config.Complete())
	return server.Fsck(ctx(), config, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

func states(r *server.FsckReport) map[string]string {
	out := map[string]string{}
	for _, c := range r.Claims {
		out[c.Claim] = c.State
	}
	return out
}

// Frames, tiles, checkpoints, snapshot and the replayed ledger agree, and whatever of them is touched is
// found offline.
func TestR56_FsckReadsEverythingAgain(t *testing.T) {
	g := start(t, options{})
	g.load()
	_, err := g.fsck()
	require.ErrorIs(t, err, server.ErrHeld)
	digest := g.server.Runner().Digest()
	g = g.restart() // the snapshot is older than the frames of this run
	for range 2 {
		g.load()
	}
	g.stop()
	kept := filepath.Join(t.TempDir(), "kept")
	require.NoError(t, os.CopyFS(kept, os.DirFS(g.data("log"))))

	r, err := g.fsck()
	require.NoError(t, err)
	require.True(t, r.OK, "%+v", r.Claims)
	require.Equal(t, "ok", states(r)["snapshot"])
	require.NotEqual(t, digest[:], r.Digest)
	require.Positive(t, r.Frames)

	for claim, harm := range map[string]func(){
		"log": func() { edit(t, segment(t, g), func(b []byte) []byte { b[used(b)/2] ^= 1; return b }) },
		"snapshots": func() {
			edit(t, newest(t, g.data("log", "snapshots", "*")), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		},
		"tiles": func() {
			edit(t, g.data("log", "public", "tile", "0", "000"), func(b []byte) []byte { b[9] ^= 1; return b })
		},
	} {
		t.Run(claim, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(g.data("log")))
			require.NoError(t, os.CopyFS(g.data("log"), os.DirFS(kept)))
			harm()
			r, err := g.fsck()
			require.NoError(t, err)
			require.False(t, r.OK)
			require.Equal(t, "failed", states(r)[claim], "%+v", r.Claims)
		})
	}
}

func newest(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names[len(names)-1]
}
