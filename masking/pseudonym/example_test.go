package pseudonym_test

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/yumen-project/yumen/masking/kernel"
	"github.com/yumen-project/yumen/masking/pseudonym"
)

// One person in two spellings has one pseudonym; a null stays null.
func Example() {
	params, err := pseudonym.Parse(map[string]string{"type": "resident_id", "encoding": "base32", "bits": "80", "prefix": "p-"})
	if err != nil {
		fmt.Println(err)
		return
	}
	key := make([]byte, 32) // derived for this scenario, recipient and column
	k, err := pseudonym.New(params, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	in, _, err := array.FromJSON(memory.DefaultAllocator, arrow.BinaryTypes.String,
		strings.NewReader(`["11010519491231002X", " 110105 19491231 002x", null]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer in.Release()
	out, err := k.Mask(&kernel.Env{Alloc: memory.DefaultAllocator}, in)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer out.Release()
	fmt.Println(out)
	// Output: ["p-2hrd7czrvwglezwy" "p-2hrd7czrvwglezwy" (null)]
}
