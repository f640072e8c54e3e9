// Package kernel is what a masking technique is made of: the interface a
// technique implements for one Arrow column, and the raw-buffer tools that let
// it do so without sharing a byte with its input.
//
// What is protected: every array made here owns fresh buffers. Bytes outside
// the slice, bytes under null slots, unreferenced dictionary values and the
// padding of allocations are never copied; padding is zeroed even when the
// allocator hands out dirty memory. Two input values that mask to the same
// output are one dictionary entry, so that dictionary codes tell nothing the
// masked values do not.
//
// What is not protected: whether a cell is null, the number of rows and their
// order, and whatever a technique itself lets through.
package kernel

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// ErrType: the technique cannot treat a column of this type. Choose another
// technique or convert the column at intake.
var ErrType = errors.New("type not supported")

// ErrCorrupt: the array's buffers contradict its length, offsets or indices.
// The batch is unusable; read it again from its source.
var ErrCorrupt = errors.New("array buffers are inconsistent")

// Kernel masks the values of one column. It is immutable once made and safe
// for use by several batches at once. Row order and length are preserved.
type Kernel interface {
	// Type gives the type of the masked column for an input type, or an error
	// wrapping ErrType. Dictionary columns are asked about their value type.
	Type(in arrow.DataType) (arrow.DataType, error)
	// Mask returns a new array of in.Len() slots that owns every buffer.
	// A null slot stays null. The caller releases the result.
	Mask(env *Env, in arrow.Array) (arrow.Array, error)
}

// ByRow is a Kernel that treats rows and not distinct values: a dictionary is
// handed to its Type and Mask as it is, or all cells of a value would change
// alike.
type ByRow interface {
	Kernel
	// ByRow does nothing.
	ByRow()
}

// Env is what one call of Mask works with.
type Env struct {
	// Alloc provides every output buffer.
	Alloc memory.Allocator
	// Tolerate makes malformed values nulls instead of errors.
	Tolerate bool
	// Row counts the rows of the read before this batch, so that what is drawn
	// for a row depends on its place in the read and not on the batching.
	Row int64
	// Column gives another column of the same batch as it was read, for a
	// technique that treats a value by whose it is. The caller of Mask keeps
	// the reference. Nil where no other column is at hand.
	Column func(name string) (arrow.Array, error)

	malformed []int
}

// Malformed reports a value the technique cannot treat. The rule says what was
// expected and never the value. An error ends the call of Mask; nil tells the
// technique to write an empty slot, which Validity turns into a null.
// Rows are reported in ascending order, each at most once.
func (e *Env) Malformed(row int, rule string) error {
	if !e.Tolerate {
		return &ValueError{Row: row, Rule: rule}
	}
	e.malformed = append(e.malformed, row)
	return nil
}

// Suppressed lists the rows reported by Malformed, in ascending order.
func (e *Env) Suppressed() []int { return e.malformed }

// ValueError says which row of the array was malformed, counted from 0, and
// by what rule. It holds no value.
type ValueError struct {
	Row  int
	Rule string
}

func (e *ValueError) Error() string { return fmt.Sprintf("at row %d: %s", e.Row, e.Rule) }

// OutputType is k.Type seen through a dictionary: a dictionary of text stays a
// dictionary, of masked text. Lists, structs and other nested types are refused.
func OutputType(k Kernel, in arrow.DataType) (arrow.DataType, error) {
	d, ok := in.(*arrow.DictionaryType)
	if _, rows := k.(ByRow); rows || !ok {
		return k.Type(in)
	}
	if !isText(d.ValueType) {
		return nil, fmt.Errorf("dictionary of %s: %w", d.ValueType, ErrType)
	}
	v, err := k.Type(d.ValueType)
	if err != nil {
		return nil, err
	}
	if !isText(v) {
		return nil, fmt.Errorf("dictionary of %s masked to %s: %w", d.ValueType, v, ErrType)
	}
	return &arrow.DictionaryType{IndexType: d.IndexType, ValueType: v}, nil
}

// Apply is k.Mask seen through a dictionary: referenced values are masked once.
func Apply(k Kernel, env *Env, in arrow.Array) (arrow.Array, error) {
	if _, rows := k.(ByRow); !rows && in.DataType().ID() == arrow.DICTIONARY {
		return maskDictionary(k, env, in)
	}
	return k.Mask(env, in)
}

func isText(t arrow.DataType) bool {
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING
}
