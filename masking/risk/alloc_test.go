package risk

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
)

// TestCheckAllocatesNothing: memory is made before the first node.
func TestCheckAllocatesNothing(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}, {Name: "b", Type: arrow.BinaryTypes.String}, {Name: "s", Type: arrow.PrimitiveTypes.Int8}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(
		`[{"a":1,"b":"x","s":1},{"a":1,"b":"y","s":2},{"a":2,"b":"y","s":3},{"a":3,"b":"z","s":3}]`))
	require.NoError(t, err)
	src, err := array.NewRecordReader(s, []arrow.Record{rec})
	require.NoError(t, err)
	table, err := ReadTable(t.Context(), src, []string{"a", "b", "s"}, 0)
	require.NoError(t, err)
	for _, sensitive := range [][]Sensitive{nil, {{Column: "s", Distinct: 2, Entropy: 1.5, Recursive: &Recursive{C: 2, L: 2},
		Closeness: &Closeness{T: 0.5, Distance: Ordered}}}} {
		k, err := newSearch(table, []Quasi{{Column: "a"}, {Column: "b"}}, Constraints{K: 2, Suppress: "1", Sensitive: sensitive}, Loss)
		require.NoError(t, err)
		for node := range k.l.nodes { // the scratch of (c,l) grows once
			k.check(node, &k.base)
		}
		require.Zero(t, testing.AllocsPerRun(20, func() {
			for node := range k.l.nodes {
				k.check(node, &k.base)
			}
		}))
	}
}
