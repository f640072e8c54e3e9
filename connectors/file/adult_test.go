package file

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

// TestR8_OpenDatasetEntersAsAnyOther: a table of an open-data platform, UCI
// Adult, is read as it was published and equals an independent reading.
func TestR8_OpenDatasetEntersAsAnyOther(t *testing.T) {
	dir := os.Getenv("YUMEN_TESTDATA")
	if dir == "" {
		t.Skip("YUMEN_TESTDATA is not set: the UCI Adult file is not at hand")
	}
	names := strings.Split("sex;age;race;marital-status;education;native-country;workclass;occupation;salary-class", ";")
	fields := make([]connectors.Field, len(names))
	for i, n := range names {
		fields[i] = field(n, "string")
	}
	fields[1].Type = "int64"
	src := newSource(t, Options{Path: "adult/adult.csv", Root: dir, Format: CSV, Separator: ';', Header: true,
		Fields: fields, RowNumber: "row", Alloc: checked(t)})
	r, err := src.Open(context.Background(), connectors.Scan{})
	require.NoError(t, err)
	defer r.Release()

	plain, err := os.Open(filepath.Join(dir, "adult", "adult.csv"))
	require.NoError(t, err)
	defer plain.Close()
	lines := bufio.NewScanner(plain)
	require.True(t, lines.Scan())
	rows, ages := int64(0), int64(0)
	for r.Next() {
		rec := r.Record()
		for i := range int(rec.NumRows()) {
			rows++
			require.True(t, lines.Scan())
			want := strings.Split(lines.Text(), ";")
			for c := range names {
				require.Equal(t, want[c], rec.Column(c).ValueStr(i))
			}
			age, err := strconv.ParseInt(want[1], 10, 64)
			require.NoError(t, err)
			require.Equal(t, age, rec.Column(1).(*array.Int64).Value(i))
			require.Equal(t, rows, rec.Column(len(names)).(*array.Int64).Value(i))
			ages += age
		}
	}
	require.NoError(t, r.Err())
	require.False(t, lines.Scan())
	require.EqualValues(t, 30_162, rows)
	require.Positive(t, ages)
}
