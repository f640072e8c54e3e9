//go:build !linux

package chaos

import "testing"

func scratch(t *testing.T) string {
	t.Helper()
	return t.TempDir()
}
