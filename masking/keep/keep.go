// Package keep is the technique that changes nothing, said aloud: the column
// leaves as it is, on fresh buffers.
//
// What is protected: only that nothing beside the visible cells leaves (bytes
// under nulls, beyond slices, unused dictionary values). What is not: the
// values. A direct identifier may not be kept.
package keep

import (
	"errors"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// New makes the kernel. keep takes no parameters.
func New(params map[string]string) (kernel.Kernel, error) {
	if len(params) != 0 {
		return nil, errors.New("keep takes no parameters")
	}
	return keeper{}, nil
}

type keeper struct{}

func (keeper) Type(in arrow.DataType) (arrow.DataType, error) {
	return in, kernel.Supported(in)
}

func (keeper) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	return kernel.Copy(env.Alloc, in)
}
