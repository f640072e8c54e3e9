//go:build services

package e2e

import "testing"

// kill -9 of the real server, fifty times under load, with a restart each time.
func TestCrash_FiftyKills(t *testing.T) { crash(t, 50, 7) }
