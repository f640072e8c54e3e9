package release

import "github.com/yumen-project/yumen/gateway/governance"

// Denied is a refusal that the log has taken: Entry is its index, or -1 where the log could not.
type Denied struct {
	Refusal *governance.Refusal
	Entry   int64
}

func (d *Denied) Error() string { return "refused: " + d.Refusal.Error() }

// Unwrap gives the refusal.
func (d *Denied) Unwrap() error { return d.Refusal }
