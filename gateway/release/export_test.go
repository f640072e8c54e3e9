package release

import "github.com/yumen-project/yumen/gateway/governance"

// StillAllowed is the second decision, which Redeem takes.
func (g *Gate) StillAllowed(c *Candidate, now int64) (*governance.Policy, error) {
	return g.stillAllowed(c, now)
}
