package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNoNetworkCode reads the list of all packages that the command is made
// of, on each system it is built for.
func TestNoNetworkCode(t *testing.T) {
	for _, target := range []string{"linux/amd64", "linux/arm64", "windows/amd64"} {
		system, machine, _ := strings.Cut(target, "/")
		cmd := exec.Command("go", "list", "-deps", ".")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+machine, "CGO_ENABLED=0")
		out, err := cmd.Output()
		require.NoError(t, err)
		list := strings.Fields(string(out))
		require.Contains(t, list, "github.com/yumen-project/yumen/gateway/receipt")
		for _, name := range list {
			require.False(t, strings.HasPrefix(name, "net") || strings.HasPrefix(name, "database/"), "%s: %s", target, name)
			for _, foreign := range []string{"google.golang.org", "arrow", "pebble", "lattigo", "cobra", "koanf", "crypto/tls", "cedar"} {
				require.NotContains(t, name, foreign, target)
			}
			if rest, ours := strings.CutPrefix(name, "github.com/yumen-project/yumen/"); ours {
				require.Contains(t, []string{"gateway/receipt", "gateway/audit", "gateway/keyring", "cmd/yumen-verify"}, rest, target)
			}
		}
	}
}
