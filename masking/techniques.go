package masking

import (
	"fmt"

	"github.com/yumen-project/yumen/masking/generalize"
	"github.com/yumen-project/yumen/masking/keep"
	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/redact"
	"github.com/yumen-project/yumen/masking/suppress"
)

// Names of the techniques.
const (
	TechniqueKeep       = "keep"
	TechniqueSuppress   = "suppress"
	TechniqueRedact     = "redact"
	TechniqueGeneralize = "generalize"
)

// KeySource hands out the key of a keyed technique. Purpose is the technique,
// name the key the policy asks for. Techniques that need no key accept nil.
type KeySource interface {
	Key(purpose, name string) ([]byte, error)
}

// build makes the kernel of a column; nil when the column is left out.
func build(c *Column, _ KeySource) (kernel.Kernel, error) {
	switch c.Technique {
	case TechniqueKeep:
		if c.Class == ClassDirect {
			return nil, fmt.Errorf("a direct identifier may not be kept")
		}
		return keep.New(c.Params)
	case TechniqueSuppress:
		p, err := suppress.Parse(c.Params)
		if err != nil || p.Dropped() {
			return nil, err
		}
		return suppress.New(p)
	case TechniqueRedact:
		p, err := redact.Parse(c.Params)
		if err != nil {
			return nil, err
		}
		p.Identifier = c.Class == ClassDirect
		return redact.New(p)
	case TechniqueGeneralize:
		if c.Class == ClassDirect {
			return nil, fmt.Errorf("a direct identifier may only be suppressed or redacted")
		}
		p, err := generalize.Parse(c.Params)
		if err != nil {
			return nil, err
		}
		return generalize.New(p)
	case "":
		return nil, fmt.Errorf("no technique given")
	}
	return nil, fmt.Errorf("technique %q is unknown", c.Technique)
}
