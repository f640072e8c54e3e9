package masking

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/perturb"
)

// KeySource hands out the key of a keyed technique, or of a sample. Purpose is
// the name of the technique ("sample" for a sample), name the key the policy
// asks for. The key is not kept after compiling by anything but the technique.
type KeySource interface {
	Key(purpose, name string) ([]byte, error)
}

// PurposeSample is the purpose of a lineage key.
const PurposeSample = "sample"

// NoiseSource hands out the noise for a perturbed column. The caller owns the
// budget: it counts what the column's epsilon costs before it hands any out.
// The noise is drawn from by several goroutines at once.
type NoiseSource interface {
	Noise(column string) (perturb.Noise, error)
}

// Sources are what a policy may need from its surroundings.
type Sources struct {
	Keys  KeySource        // may be nil while no technique asks for a key
	Noise NoiseSource      // may be nil while no column is perturbed
	Alloc memory.Allocator // of output buffers; nil: Go's allocator
}

// technique is one row of the table of techniques.
type technique struct {
	name string
	// keyed: the policy names a key for it.
	keyed bool
	// direct: fit for direct identifiers.
	direct bool
	// inside: refused where the table may leave the domain.
	inside bool
	// spelt: looks at other columns, so that a dictionary is spelt out before
	// and a value masked once would not do.
	spelt bool
	// placed: the result depends on the place of a row in the read and on the
	// rows around it, and so, at the ends of batches, on the batching.
	placed bool
	// drawn: chance decides, anew every time.
	drawn bool
	// subject names the parameter that holds another column's name.
	subject string
	build   func(*builder) (kernel.Kernel, error)
	about   Description
}

// builder is what a technique is made from.
type builder struct {
	column *Column
	params map[string]string
	key    []byte
	noise  NoiseSource
}

func techniqueOf(name string) *technique {
	all := techniques()
	i := slices.IndexFunc(all, func(t technique) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// build makes the kernel of a column; nil when the column is left out.
func (t *technique) make(p *Policy, c *Column, in *arrow.Schema, s *Sources) (kernel.Kernel, error) {
	if err := t.allowed(p, c, in); err != nil {
		return nil, err
	}
	b := &builder{column: c, params: c.Params, noise: s.Noise}
	if t.keyed {
		var err error
		if b.key, err = keyOf(s.Keys, t.name, c.Key); err != nil {
			return nil, err
		}
	}
	return t.build(b)
}

// allowed holds the rules that do not depend on the technique's parameters.
func (t *technique) allowed(p *Policy, c *Column, in *arrow.Schema) error {
	switch {
	case c.Class == ClassDirect && t.name == TechniqueKeep:
		return errors.New("a direct identifier may not be kept")
	case c.Class == ClassDirect && !t.direct:
		return fmt.Errorf("a direct identifier may only be treated by %s", directNames())
	case t.inside && p.release() == Outside:
		return fmt.Errorf("%s is refused in a policy with release: outside: equal values stay equal under one key", t.name)
	case t.keyed && c.Key == "":
		return fmt.Errorf("key: %s needs the name of a key", t.name)
	case !t.keyed && c.Key != "":
		return fmt.Errorf("key: %s takes none", t.name)
	}
	if t.subject == "" {
		return nil
	}
	subject := c.Params[t.subject]
	if subject == "" {
		return nil // the technique says whether it needs one
	}
	if subject == c.Name || len(in.FieldIndices(subject)) != 1 {
		return fmt.Errorf("parameter %s: want the name of another column", t.subject)
	}
	return nil
}

func directNames() string {
	text := ""
	for _, t := range techniques() {
		if t.direct {
			if text != "" {
				text += ", "
			}
			text += t.name
		}
	}
	return text
}

func keyOf(keys KeySource, purpose, name string) ([]byte, error) {
	if keys == nil {
		return nil, fmt.Errorf("key: %s needs a key and no source of keys is given", purpose)
	}
	key, err := keys.Key(purpose, name)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return key, nil
}
