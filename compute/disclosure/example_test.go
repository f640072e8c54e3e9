package disclosure_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/yumen-project/yumen/compute/disclosure"
)

// Two tables, each lawful, differ in one boundary and so in three persons.
func Example() {
	ctx := context.Background()
	registry, err := disclosure.New(disclosure.Universe{Units: 200, Least: 10, KnownTotal: true}, rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	district := func(boundary int) *disclosure.Table {
		t := &disclosure.Table{Cells: make([]uint32, 200), Shown: []bool{true, true, true}}
		for u := range t.Cells {
			switch {
			case u >= 150:
				t.Cells[u] = 2
			case u >= boundary:
				t.Cells[u] = 1
			}
		}
		return t
	}
	_, err = registry.Add(ctx, district(70))
	fmt.Println("first:", err)
	_, err = registry.Add(ctx, district(73))
	fmt.Println("second unsafe:", errors.Is(err, disclosure.ErrUnsafe))
	trial, err := registry.Suppress(ctx, district(73))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("shown:", trial.Shown(), trial.Commit())
	// Output:
	// first: <nil>
	// second unsafe: true
	// shown: [false false true] <nil>
}
