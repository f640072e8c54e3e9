package plain

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/compute"
)

// pool accounts for the working memory of one run. Everything that grows with
// the data is charged before it is allocated.
type pool struct {
	alloc     memory.Allocator
	max, used int64
}

// charge takes n bytes from the bound.
func (p *pool) charge(n int64) error {
	if n < 0 || n > p.max-p.used {
		return fmt.Errorf("%w: working memory exceeds %d bytes", compute.ErrLimit, p.max)
	}
	p.used += n
	return nil
}

// vec is a growing array of fixed-width values from the pool's allocator.
type vec[T uint8 | int32 | uint32 | int64 | uint64] struct {
	v   []T // all of the room; the owner knows how much is in use
	raw []byte
}

// grow makes room for at least n values, zero where new.
func (x *vec[T]) grow(p *pool, n int) error {
	if n <= len(x.v) {
		return nil
	}
	return x.resize(p, max(n, len(x.v)+len(x.v)/2, 64))
}

// resize moves the values to a room of n; the old one is wiped and freed.
func (x *vec[T]) resize(p *pool, n int) error {
	size := int64(n) * int64(len(arrow.GetBytes([]T{0})))
	if err := p.charge(size); err != nil {
		return err
	}
	raw := p.alloc.Allocate(int(size))
	clear(raw)
	next := vec[T]{v: arrow.GetData[T](raw), raw: raw}
	copy(next.v, x.v)
	x.free(p)
	*x = next
	return nil
}

// free wipes and gives back the room.
func (x *vec[T]) free(p *pool) {
	if x.raw == nil {
		return
	}
	clear(x.raw)
	p.used -= int64(len(x.raw))
	p.alloc.Free(x.raw)
	*x = vec[T]{}
}
