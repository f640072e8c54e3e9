package file

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

// smallParquet gives a small file with several pages, groups and nulls.
func smallParquet(t testing.TB, props *parquet.WriterProperties) ([]byte, []connectors.Field) {
	fields := []connectors.Field{field("id", "int64"), nullable("s", "string"), nullable("f", "float64"), nullable("n", "decimal(10,2)"), nullable("b", "bool")}
	sc, err := connectors.Schema(fields)
	require.NoError(t, err)
	rows := `[`
	for i := range 60 {
		if i > 0 {
			rows += ","
		}
		if i%5 == 0 {
			rows += `{"id":3,"s":null,"f":null,"n":null,"b":null}`
		} else {
			rows += `{"id":4,"s":"王五","f":1.5,"n":"12.34","b":true}`
		}
	}
	rec := record(t, sc, rows+`]`)
	defer rec.Release()
	data, err := os.ReadFile(parquetOptions(t, rec, props, fields...).Path)
	require.NoError(t, err)
	return data, fields
}

// TestParquetTruncated: a file cut anywhere is refused.
func TestParquetTruncated(t *testing.T) {
	data, fields := smallParquet(t, nil)
	o := Options{Path: filepath.Join(t.TempDir(), "x"), Format: Parquet, Fields: fields}
	for n := 0; n < len(data); n += 1 + n%5 {
		require.NoError(t, os.WriteFile(o.Path, data[:n], 0o600))
		require.Error(t, readHostile(t, o), "first %d bytes of %d", n, len(data))
	}
}

// TestParquetDamaged: no change of a byte does worse than an error.
func TestParquetDamaged(t *testing.T) {
	for name, props := range writers() {
		t.Run(name, func(t *testing.T) {
			data, fields := smallParquet(t, props)
			o := Options{Path: filepath.Join(t.TempDir(), "x"), Format: Parquet, Fields: fields}
			flips := []byte{0x01, 0x80, 0xff, 0x10, 0x02}
			for i := 0; i < len(data); i += 2 + i%3 {
				flip := flips[i%len(flips)]
				data[i] ^= flip
				require.NoError(t, os.WriteFile(o.Path, data, 0o600))
				_ = readHostile(t, o)
				data[i] ^= flip
			}
		})
	}
}

func TestParquetTypes(t *testing.T) {
	ts := func(u arrow.TimeUnit, zone string) arrow.DataType {
		return &arrow.TimestampType{Unit: u, TimeZone: zone}
	}
	for _, c := range []struct {
		name     string
		stored   arrow.DataType
		declared string
		value    string
		want     string // "" is drift; "!" is malformed
	}{
		{"int8", arrow.PrimitiveTypes.Int8, "int64", `-7`, `-7`},
		{"int32", arrow.PrimitiveTypes.Int32, "int64", `-70000`, `-70000`},
		{"uint32", arrow.PrimitiveTypes.Uint32, "int64", `4294967295`, `4294967295`},
		{"uint64", arrow.PrimitiveTypes.Uint64, "int64", `1`, ``},
		{"int as float", arrow.PrimitiveTypes.Int64, "float64", `1`, ``},
		{"float32", arrow.PrimitiveTypes.Float32, "float64", `0.5`, `0.5`},
		{"float as int", arrow.PrimitiveTypes.Float64, "int64", `1`, ``},
		{"large string", arrow.BinaryTypes.LargeString, "string", `"王"`, `"王"`},
		{"NUL", arrow.BinaryTypes.String, "string", `"a\u0000"`, `!`},
		{"binary", arrow.BinaryTypes.Binary, "string", `"YQ=="`, ``},
		{"int as string", arrow.PrimitiveTypes.Int64, "string", `1`, ``},
		{"date", arrow.FixedWidthTypes.Date32, "date", `"2024-02-29"`, `"2024-02-29"`},
		{"date as timestamp", arrow.FixedWidthTypes.Date32, "timestamp", `"2024-02-29"`, ``},
		{"ms", ts(arrow.Millisecond, "UTC"), "timestamp", `"2024-01-01 00:00:00.123"`, `"2024-01-01 00:00:00.123Z"`},
		{"us", ts(arrow.Microsecond, "UTC"), "timestamp", `"2024-01-01 00:00:00.123"`, `"2024-01-01 00:00:00.123Z"`},
		{"us too fine", ts(arrow.Microsecond, "UTC"), "timestamp", `"2024-01-01 00:00:00.123456"`, `!`},
		{"wall clock", ts(arrow.Millisecond, ""), "timestamp", `"2024-01-01 08:00:00"`, `"2024-01-01 00:00:00Z"`},
		{"ns", ts(arrow.Nanosecond, "UTC"), "timestamp", `"2024-01-01 00:00:00.5"`, `"2024-01-01 00:00:00.5Z"`},
		{"dictionary", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, "string", `"王"`, `"王"`},
		{"decimal", &arrow.Decimal128Type{Precision: 9, Scale: 2}, "decimal(12,2)", `"-1.20"`, `"-1.2"`},
		{"decimal scale", &arrow.Decimal128Type{Precision: 9, Scale: 3}, "decimal(12,2)", `"1.20"`, ``},
		{"decimal precision", &arrow.Decimal128Type{Precision: 13, Scale: 2}, "decimal(12,2)", `"1.20"`, ``},
		{"list", arrow.ListOf(arrow.PrimitiveTypes.Int64), "int64", `[1]`, ``},
		{"struct", arrow.StructOf(arrow.Field{Name: "y", Type: arrow.PrimitiveTypes.Int64}), "int64", `{"y":1}`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := record(t, arrow.NewSchema([]arrow.Field{{Name: "x", Type: c.stored, Nullable: true}}, nil), `[{"x":`+c.value+`}]`)
			defer rec.Release()
			out, err := readAll(t, parquetOptions(t, rec, nil, nullable("x", c.declared)), connectors.Scan{})
			switch c.want {
			case "":
				require.ErrorIs(t, err, connectors.ErrDrift)
				require.ErrorContains(t, err, `column 1: field "x"`)
			case "!":
				require.ErrorIs(t, err, connectors.ErrMalformed)
				require.ErrorContains(t, err, `row 1, field "x"`)
			default:
				require.NoError(t, err)
				require.Equal(t, `{"x":`+c.want+"}\n", out)
			}
		})
	}
}
