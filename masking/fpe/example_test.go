package fpe_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/fpe"
	"github.com/yumen-project/yumen/masking/kernel"
)

// A resident number becomes one with a region code nobody has; the key holder
// gets it back.
func Example() {
	key := []byte("an example, not a key: 32 bytes.")
	p, err := fpe.Parse(map[string]string{"type": "resident", "region": "unassigned"})
	if err != nil {
		fmt.Println(err)
		return
	}
	there, err := fpe.New(p, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := fpe.NewDecrypter(p, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.Append("11010519491231002X")
	env := &kernel.Env{Alloc: memory.DefaultAllocator}
	masked, err := there.Mask(env, b.NewArray())
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := back.Mask(env, masked)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(masked.ValueStr(0))
	fmt.Println(again.ValueStr(0))
	// Output:
	// 712763194507280955
	// 11010519491231002X
}
