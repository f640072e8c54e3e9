package masking

import (
	"errors"

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

// orderPreserving is known by name so that it can be refused with its reason.
const orderPreserving = "order_preserving"

var errOrder = errors.New("order-preserving encryption is refused: " +
	"order and frequency together give the values back; use generalize for ranges, pseudonym for joins")

// techniques is the table of all techniques: the one place that knows them.
func techniques() []technique {
	return []technique{
		{name: TechniqueKeep, about: aboutKeep, build: func(b *builder) (kernel.Kernel, error) {
			return keep.New(b.params)
		}},
		{name: TechniqueSuppress, direct: true, about: aboutSuppress, build: func(b *builder) (kernel.Kernel, error) {
			p, err := suppress.Parse(b.params)
			if err != nil || p.Dropped() {
				return nil, err
			}
			return suppress.New(p)
		}},
		{name: TechniqueRedact, direct: true, about: aboutRedact, build: func(b *builder) (kernel.Kernel, error) {
			p, err := redact.Parse(b.params)
			if err != nil {
				return nil, err
			}
			p.Identifier = b.column.Class == ClassDirect
			return redact.New(p)
		}},
		{name: TechniqueGeneralize, about: aboutGeneralize, build: func(b *builder) (kernel.Kernel, error) {
			p, err := generalize.Parse(b.params)
			if err != nil {
				return nil, err
			}
			return generalize.New(p)
		}},
	}
}
