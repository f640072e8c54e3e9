package masking

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/perturb"
)

// Finding is one fault of a policy.
type Finding struct {
	Column string // empty: of the policy as a whole
	Rule   error  // what is wrong; it holds no value of the data
}

func (f *Finding) Error() string {
	if f.Column == "" {
		return f.Rule.Error()
	}
	return fmt.Sprintf("column %q: %v", f.Column, f.Rule)
}

func (f *Finding) Unwrap() error { return f.Rule }

// Check lists every fault of the policy against a schema, as CompileWith would
// meet them one after the other: faults of the policy first, then those of the
// columns in the order of the schema. No key is asked for; whether the keys
// named exist is known only to CompileWith. An empty list means that the policy
// compiles, given its keys.
func Check(p *Policy, in *arrow.Schema) []Finding {
	if p == nil || in == nil {
		return []Finding{{Rule: errors.New("policy and schema are needed")}}
	}
	_, faults := inspect(p, in, &Sources{Keys: blank{}, Noise: blank{}, Alloc: memory.DefaultAllocator})
	return faults
}

// blank stands for keys and noise while a policy is checked. What is made with it is
// thrown away and never masks anything.
type blank struct{}

func (blank) Key(string, string) ([]byte, error) { return make([]byte, 32), nil }

func (blank) Noise(string) (perturb.Noise, error) { return blank{}, nil }

// Draw is never called: nothing is masked.
func (blank) Draw([]int64, uint64, uint64) error {
	return errors.New("a policy that is only checked has no noise")
}
