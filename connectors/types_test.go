package connectors

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"
)

func TestParseType(t *testing.T) {
	for in, want := range map[string]string{
		"string": "utf8", "int64": "int64", "float64": "float64", "bool": "bool", "date": "date32",
		"timestamp": "timestamp[ms, tz=UTC]", "decimal(38,38)": "decimal(38, 38)", "decimal(12, 2)": "decimal(12, 2)",
	} {
		dt, err := ParseType(in)
		require.NoError(t, err, in)
		require.Equal(t, want, dt.String(), in)
	}
	for _, in := range []string{
		"", "String", "int32", "decimal", "decimal()", "decimal(0,0)", "decimal(39,0)", "decimal(2,3)",
		"decimal(2,-1)", "decimal(2)", "decimal(2,1", "decimal( 2,1)", "decimal(+2,1)", "decimal(2,1)x", "decimal(99999999999,1)",
	} {
		_, err := ParseType(in)
		require.Error(t, err, in)
	}
}

func TestSchema(t *testing.T) {
	s, err := Schema([]Field{{Name: "姓名", Type: "string"}, {Name: "n", Type: "int64", Nullable: true}})
	require.NoError(t, err)
	require.True(t, s.Equal(arrow.NewSchema([]arrow.Field{
		{Name: "姓名", Type: arrow.BinaryTypes.String}, {Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}, nil)))
	require.EqualValues(t, 1+4+1+8, RowBytes(s))

	for name, fields := range map[string][]Field{
		"none":      nil,
		"twice":     {{Name: "a", Type: "bool"}, {Name: "a", Type: "bool"}},
		"empty":     {{Type: "bool"}},
		"spaces":    {{Name: " a", Type: "bool"}},
		"control":   {{Name: "a\nb", Type: "bool"}},
		"not UTF-8": {{Name: "a\xff", Type: "bool"}},
		"long":      {{Name: strings.Repeat("a", 129), Type: "bool"}},
		"type":      {{Name: "a", Type: "blob"}},
		"many":      make([]Field, MaxFields+1),
	} {
		_, err := Schema(fields)
		require.Error(t, err, name)
	}
}

func TestErrors(t *testing.T) {
	row := &RowError{Row: 7, Field: "年龄", Rule: "not an int64"}
	require.EqualError(t, row, `malformed data: row 7, field "年龄": not an int64`)
	require.ErrorIs(t, row, ErrMalformed)
	require.EqualError(t, &RowError{Rule: "x"}, "malformed data: header: x")

	lim := LimitAt(row)
	require.ErrorIs(t, lim, ErrLimit)
	require.ErrorIs(t, lim, ErrMalformed)
	var at *RowError
	require.True(t, errors.As(lim, &at))

	drift := &DriftError{Field: "a", Column: 2, Rule: "not declared"}
	require.EqualError(t, drift, `schema drift: column 2: field "a": not declared`)
	require.ErrorIs(t, drift, ErrDrift)
	require.NotErrorIs(t, drift, ErrMalformed)
}

func TestSafeName(t *testing.T) {
	require.Equal(t, "列名", SafeName("列名"))
	for _, s := range []string{"", "a\x1b[2J", "\xff", strings.Repeat("长", 65), "a\u202eb"} {
		require.Empty(t, SafeName(s))
	}
}
