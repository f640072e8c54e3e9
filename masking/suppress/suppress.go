// Package suppress removes values (ISO/IEC 20889: suppression). By default the
// whole column is left out; with the parameter as it stays, as a column of
// nulls ("null") or of one constant character ("*").
//
// What is protected: every value of the column. What is not: the column's name
// and type when it stays, and, with "*", which cells were null.
package suppress

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/yumen-project/yumen/masking/kernel"
)

// Params says what stays of the column.
type Params struct {
	// As is "" (the column is left out), "null" or "*".
	As string
}

// Parse reads the parameter as.
func Parse(params map[string]string) (Params, error) {
	var p Params
	for name, v := range params {
		if name != "as" {
			return p, fmt.Errorf("parameter %q is unknown to suppress", name)
		}
		if v != "null" && v != "*" {
			return p, errors.New("parameter as: want null or *")
		}
		p.As = v
	}
	return p, nil
}

// Dropped reports that the column does not appear in the output at all. Such
// a column has no kernel.
func (p Params) Dropped() bool { return p.As == "" }

// New makes the kernel of a column that stays.
func New(p Params) (kernel.Kernel, error) {
	switch p.As {
	case "null":
		return nulls{}, nil
	case "*":
		return stars{}, nil
	}
	return nil, errors.New("suppress: a dropped column has no kernel")
}

// nulls keeps the type and loses everything else.
type nulls struct{}

func (nulls) Type(in arrow.DataType) (arrow.DataType, error) {
	return in, kernel.Supported(in)
}

func (nulls) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	return kernel.AllNull(env.Alloc, in.DataType(), in.Len())
}

// stars writes one "*" into every cell that is not null.
type stars struct{}

func (stars) Type(in arrow.DataType) (arrow.DataType, error) {
	if in.ID() == arrow.STRING || in.ID() == arrow.LARGE_STRING {
		return in, nil
	}
	return nil, fmt.Errorf("%s cannot hold *: %w", in, kernel.ErrType)
}

func (stars) Mask(env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	if in.DataType().ID() == arrow.LARGE_STRING {
		return starText[int64](env, in)
	}
	return starText[int32](env, in)
}

func starText[O kernel.Offset](env *kernel.Env, in arrow.Array) (arrow.Array, error) {
	v, err := kernel.OpenValidity(in)
	if err != nil {
		return nil, err
	}
	w, err := kernel.NewWriter[O](env.Alloc, in.Len(), in.Len())
	if err != nil {
		return nil, err
	}
	var pos O
	for i := range in.Len() {
		if !v.Null(i) {
			w.Data[pos] = '*'
			pos++
		}
		w.Off[i+1] = pos
	}
	return w.Finish(env, v, in.DataType()), nil
}
