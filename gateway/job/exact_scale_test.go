package job

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/connectors/file"
	"github.com/yumen-project/yumen/gateway/governance"
)

// TestExactTables_Scale registers tables one by one on a register from a file and tells how long each
// took, what it takes to read them again, and one more. YUMEN_EXACT_ROWS and _TABLES enlarge it.
func TestExactTables_Scale(t *testing.T) {
	rows := 10_000
	if text := os.Getenv("YUMEN_EXACT_ROWS"); text != "" {
		var err error
		rows, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	r := &Runner{domain: newDomain(), o: Options{Rand: rand.Reader, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Source: largeRegister(t, rows)}}
	d := &governance.Domain{Settings: governance.DefaultSettings(),
		Datasets: []governance.Dataset{{ID: "d", Version: "1", Subject: governance.Subject{Field: "rid", Identifier: "opaque"}}}}
	tables := 5
	if text := os.Getenv("YUMEN_EXACT_TABLES"); text != "" {
		var err error
		tables, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	for k := range tables {
		d.Tables = append(d.Tables, governance.Table{ID: fmt.Sprint(k), Dataset: "d", GroupBy: [][]string{{"district", "lien"}, {"district"}, {"lien"}}[k/60%3],
			Filters:  []governance.Filter{{Field: "age", Op: ">=", Value: fmt.Sprint(k * 11 % 60)}},
			Measures: []governance.Measure{{Kind: "count"}, {Kind: "sum", Field: "wage"}}})
		start := time.Now()
		got, err := r.judgeTables(context.Background(), d)
		require.NoError(t, err)
		require.Empty(t, got.unread)
		require.Len(t, got.patterns, 1)
		r.domain.takePattern(got.patterns[0])
		t.Logf("table %d of %d rows: %v", k+1, rows, time.Since(start).Round(time.Millisecond))
	}
	r.judges = nil
	ds, ctx := &d.Datasets[0], context.Background()
	source, err := r.o.Source(ds)
	require.NoError(t, err)
	about, err := source.Describe(ctx)
	require.NoError(t, err)
	start := time.Now()
	_, err = r.judgeOf(ctx, ds, source, about, basisOf(ds, about, d.Settings.MinimumSubjects), r.domain.patterns["d"], d.Settings.MinimumSubjects)
	require.NoError(t, err)
	t.Logf("all %d read again, as after a restart: %v", tables, time.Since(start).Round(time.Millisecond))
	d.Tables = append(d.Tables, governance.Table{ID: "last", Dataset: "d", GroupBy: []string{"age"}, Measures: []governance.Measure{{Kind: "count"}}})
	start = time.Now()
	got, err := r.judgeTables(ctx, d)
	require.NoError(t, err)
	require.Len(t, got.patterns, 1)
	t.Logf("one more: %v", time.Since(start).Round(time.Millisecond))
}

func largeRegister(t *testing.T, rows int) func(*governance.Dataset) (connectors.Source, error) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "large.csv"))
	require.NoError(t, err)
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "rid,district,age,wage,lien")
	for i := range rows {
		fmt.Fprintf(w, "person-%08d,d%d,%d,%d,%v\n", i, i*31%97%20, i*17%89%60, i%1000, i%3 == 0)
	}
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())
	source, err := file.New(file.Options{Root: dir, Path: "large.csv", Format: "csv", Header: true, Fields: []connectors.Field{
		{Name: "rid", Type: "string"}, {Name: "district", Type: "string"}, {Name: "age", Type: "int64"}, {Name: "wage", Type: "int64"}, {Name: "lien", Type: "bool"}}})
	require.NoError(t, err)
	return func(*governance.Dataset) (connectors.Source, error) { return source, nil }
}
