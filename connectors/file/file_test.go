package file

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/stretchr/testify/require"
)

func TestR2_FileCSVTyped(t *testing.T) {
	o := csvOptions(t, "\xef\xbb\xbf name , n,d\r\n\"王\"\"五\",-7,2024-02-29\r\n\"a,\nb\",9223372036854775807,1970-01-01",
		field("name", "string"), field("n", "int64"), field("d", "date"))
	require.Equal(t, `{"d":"2024-02-29","n":-7,"name":"王\"五"}
{"d":"1970-01-01","n":9223372036854775807,"name":"a,\nb"}
`, mustRead(t, o))
}

func TestR2_FileParquetTyped(t *testing.T) {
	sc := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "name", Type: arrow.BinaryTypes.String},
	}, nil)
	rec := record(t, sc, `[{"n":1,"name":"a"},{"n":null,"name":"王五"}]`)
	defer rec.Release()
	o := parquetOptions(t, rec, nil, field("name", "string"), nullable("n", "int64"))
	o.RowNumber = "row"
	require.Equal(t, `{"n":1,"name":"a","row":1}
{"n":null,"name":"王五","row":2}
`, mustRead(t, o))
}
