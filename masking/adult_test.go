package masking_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/risk"
)

// adult reads a file of UCI Adult, or skips the test.
func adult(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("YUMEN_TESTDATA")
	if dir == "" {
		t.Skip("YUMEN_TESTDATA is not set: UCI Adult is not at hand")
	}
	b, err := os.ReadFile(filepath.Join(dir, "adult", name))
	require.NoError(t, err)
	return string(b)
}

func adultColumn(class, technique string, params ...string) masking.Column {
	c := column(technique, params...)
	c.Class, c.Nulls = class, masking.Refuse
	return c
}

// TestAdult masks the table, enforces k = 5, and counts again with a map.
func TestAdult(t *testing.T) {
	const k = 5
	r := csv.NewReader(strings.NewReader(adult(t, "adult.csv")))
	r.Comma = ';'
	rows, err := r.ReadAll()
	require.NoError(t, err)
	head, rows := rows[0], rows[1:]
	require.Len(t, rows, 30162)
	level := func(name, level string) masking.Column {
		return adultColumn(masking.ClassQuasi, "generalize", "to", "hierarchy", "level", level,
			"table", adult(t, "adult_hierarchy_"+name+".csv"))
	}
	masks := map[string]masking.Column{
		"sex":            adultColumn(masking.ClassQuasi, "keep"),
		"age":            adultColumn(masking.ClassQuasi, "generalize", "to", "range", "width", "10", "top", "70"),
		"race":           adultColumn(masking.ClassQuasi, "keep"),
		"marital-status": level("marital-status", "1"),
		"education":      level("education", "2"),
		"native-country": level("native-country", "1"),
		"workclass":      adultColumn(masking.ClassAttribute, "suppress", "as", "*"),
		"occupation":     adultColumn(masking.ClassDirect, "suppress"),
		"salary-class":   adultColumn(masking.ClassSensitive, "keep"),
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	policy := &masking.Policy{Name: "adult"}
	var fields []arrow.Field
	for _, name := range head {
		c := masks[name]
		c.Name = name
		policy.Columns = append(policy.Columns, c)
		typ := str
		if name == "age" {
			fields = append(fields, arrow.Field{Name: name, Type: i64})
			continue
		}
		fields = append(fields, arrow.Field{Name: name, Type: typ})
	}
	schema := arrow.NewSchema(fields, nil)
	recs := adultRecords(t, schema, rows)
	m, err := masking.Compile(policy, schema, nil, mem)
	require.NoError(t, err)
	open := func() (array.RecordReader, error) {
		src, err := array.NewRecordReader(schema, recs)
		if err != nil {
			return nil, err
		}
		defer src.Release()
		return masking.NewReader(context.Background(), src, m), nil
	}
	counted := map[string]int64{}
	var left int64
	rep, err := risk.Enforce(context.Background(), open, policy.Quasi(), k, func(rec arrow.Record) error {
		require.Equal(t, []string{"sex", "age", "race", "marital-status", "education", "native-country"}, policy.Quasi())
		left += rec.NumRows()
		for i := range int(rec.NumRows()) {
			var q []string
			for _, name := range policy.Quasi() {
				q = append(q, rec.Column(rec.Schema().FieldIndices(name)[0]).ValueStr(i))
			}
			counted[fmt.Sprintf("%q", q)]++
		}
		requireGone(t, rec, rows, head, "occupation", "workclass")
		return nil
	})
	require.NoError(t, err)
	least := left
	for _, n := range counted {
		least = min(least, n)
	}
	require.GreaterOrEqual(t, least, int64(k))
	require.Equal(t, least, rep.K)
	require.Equal(t, int64(len(rows))-left, rep.Suppressed)
	require.Equal(t, len(counted), rep.Classes-rep.ClassesCut)
	ok, err := rep.Within("0.05")
	require.NoError(t, err)
	require.True(t, ok, "%d of %d suppressed", rep.Suppressed, rep.Rows)
	require.EqualValues(t, 2*len(rows), m.Report().Rows)
}

func adultRecords(t *testing.T, schema *arrow.Schema, rows [][]string) []arrow.Record {
	t.Helper()
	var recs []arrow.Record
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for n, row := range rows {
		for i, v := range row {
			if f, ok := b.Field(i).(*array.Int64Builder); ok {
				x, err := strconv.ParseInt(v, 10, 64)
				require.NoError(t, err)
				f.Append(x)
				continue
			}
			b.Field(i).(*array.StringBuilder).Append(v)
		}
		if n%4096 == 4095 || n == len(rows)-1 {
			recs = append(recs, b.NewRecord())
		}
	}
	return recs
}

// requireGone looks for every value of the columns in all bytes of a batch.
func requireGone(t *testing.T, rec arrow.Record, rows [][]string, head []string, columns ...string) {
	t.Helper()
	all := string(recordBytes(rec))
	done := map[string]bool{}
	for _, row := range rows {
		for i, name := range head {
			for _, c := range columns {
				if name == c && !done[row[i]] {
					done[row[i]] = true
					require.NotContains(t, all, row[i])
				}
			}
		}
	}
}
