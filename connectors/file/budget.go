package file

import (
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// leastBudget is what decoding a batch may hold at least.
const leastBudget = 128 << 20

// overBudget is what budget panics with.
type overBudget struct{}

// budget is the allocator handed to the Parquet library: plain Go memory up to
// a bound. memory.Allocator has no error to return, so that going over it can
// only panic; every call into the library is made under recover.
type budget struct {
	memory.GoAllocator
	left atomic.Int64
}

func newBudget(n int64) *budget {
	b := &budget{}
	b.left.Store(n)
	return b
}

func (b *budget) take(n int) {
	if b.left.Add(-int64(n)) < 0 {
		b.left.Add(int64(n))
		panic(overBudget{})
	}
}

// Allocate takes size bytes of the budget.
func (b *budget) Allocate(size int) []byte {
	b.take(size)
	return b.GoAllocator.Allocate(size)
}

// Reallocate takes or gives back the difference.
func (b *budget) Reallocate(size int, old []byte) []byte {
	b.take(size - len(old))
	return b.GoAllocator.Reallocate(size, old)
}

// Free gives back len(buf) bytes.
func (b *budget) Free(buf []byte) {
	b.left.Add(int64(len(buf)))
	b.GoAllocator.Free(buf)
}
