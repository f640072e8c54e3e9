package job

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/governance"
)

// What was answered once is part of every later registration, under a name of its own, once; unless it is
// asked still, or its field is gone.
func TestPredecessorsStayInTheProgram(t *testing.T) {
	at := func(id, value string) *governance.Template {
		return &governance.Template{ID: id, Dataset: "d", Kind: governance.KindCompare, Class: governance.ClassOrdinary, Field: "months", Op: ">=", Value: value}
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "months", Type: arrow.PrimitiveTypes.Int64}}, nil)
	reg := &registration{}
	for _, given := range []*governance.Template{at("a", "12"), at("a", "24"), at("b", "12")} {
		reg.give(given)
	}
	require.Len(t, reg.Given, 2, "the same question under another name is one")

	past := predecessors(reg, []*governance.Template{at("a", "36"), at("c", "24")}, schema)
	require.Len(t, past, 1)
	require.Equal(t, "12", past[0].Value)
	require.NotContains(t, []string{"a", "b", "c"}, past[0].ID)
	rare := at("a", "12")
	rare.Class = governance.ClassRare
	require.Len(t, predecessors(reg, []*governance.Template{rare}, schema), 2, "a rare template counts for nothing")
	require.Empty(t, predecessors(reg, nil, arrow.NewSchema(nil, nil)))
	require.Empty(t, predecessors(nil, nil, schema))

	ordered := givenFirst(reg, []*governance.Template{at("x", "1"), at("y", "24"), at("z", "2")})
	require.Equal(t, []string{"y", "x", "z"}, []string{ordered[0].ID, ordered[1].ID, ordered[2].ID})
	require.Len(t, carried(reg, &registration{}).Given, 2)
	require.Equal(t, "12", reg.Given[0].Value, "what is kept is not altered")
}
