package city

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
)

// drain gives the text form of every row of a reader, as the CSV sink writes it.
func drain(t testing.TB, r array.RecordReader) [][]string {
	t.Helper()
	var buf bytes.Buffer
	s := newCSVSink(&buf, r.Schema())
	for r.Next() {
		require.NoError(t, s.write(r.Record()))
	}
	require.NoError(t, r.Err())
	require.NoError(t, s.close())
	rows, err := csv.NewReader(&buf).ReadAll()
	require.NoError(t, err)
	return rows[1:]
}

func rowsOf(t testing.TB, c *City, table string, batch int) [][]string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	r, err := c.reader(mem, table, batch)
	require.NoError(t, err)
	defer r.Release()
	return drain(t, r)
}

func TestReaderBatches(t *testing.T) {
	c := newCity(t, Params{Persons: 2_500, Seed: 9})
	for _, table := range c.Tables() {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		r, err := c.reader(mem, table, 700)
		require.NoError(t, err)
		require.True(t, r.Schema().Equal(c.Schema(table)))
		r.Retain()
		r.Release()
		last := int64(700)
		for r.Next() {
			require.Equal(t, int64(700), last, "only the last batch is short")
			last = r.Record().NumRows()
			require.LessOrEqual(t, last, int64(700))
		}
		require.False(t, r.Next())
		r.Release()
		mem.AssertSize(t, 0)
		require.Equal(t, rowsOf(t, c, table, 1), rowsOf(t, c, table, 100_000), table)
	}
	_, err := c.Reader("payroll", 10)
	require.ErrorIs(t, err, ErrTable)
	_, err = c.Reader(Household, 0)
	require.ErrorIs(t, err, ErrBatch)
	require.Nil(t, c.Schema("payroll"))
}

func TestReleaseMidway(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	r, err := newCity(t, Params{Persons: 100}).reader(mem, Housing, 7)
	require.NoError(t, err)
	require.True(t, r.Next())
	kept := r.Record()
	kept.Retain()
	require.True(t, r.Next())
	r.Release()
	require.Equal(t, int64(7), kept.NumRows())
	kept.Release()
	mem.AssertSize(t, 0)
}

// The rows of the registers, brought to canonical form, are what Person says.
func TestRowsAgreeWithPerson(t *testing.T) {
	const size = 3_000
	c := newCity(t, Params{Persons: size, Seed: 5, Dirt: 0.3})
	want := map[string][][]string{}
	homes := [maxHomes][][]string{}
	for i := range size {
		p := c.Person(i)
		want[Household] = append(want[Household], []string{
			p.RID, p.Name, p.Phone, p.Birth.Format("2006-01-02"), p.Sex, p.District,
			p.HouseholdID, p.Kind, strconv.FormatBool(p.Objection),
		})
		if p.InCivil {
			day := ""
			if !p.Registered.IsZero() {
				day = p.Registered.Format("2006-01-02")
			}
			want[Civil] = append(want[Civil], []string{p.RID, p.Marital, day, p.SpouseRegion, strconv.FormatBool(p.CivilObjection)})
		}
		for nth, h := range p.Homes {
			homes[nth] = append(homes[nth], []string{
				p.RID, h.ID, hundredths(h.AreaCenti), h.District, strconv.Itoa(h.Built),
				strconv.FormatBool(h.Mortgaged), hundredths(h.ValueCents),
			})
		}
		if p.Insured {
			want[Insurance] = append(want[Insurance], []string{
				p.RID, p.Employer, strconv.Itoa(p.Months), hundredths(p.WageCents), p.Industry,
				strconv.FormatBool(p.Certified), strconv.FormatBool(p.Debtor),
			})
		}
	}
	for nth := range homes {
		require.NotEmpty(t, homes[nth])
		want[Housing] = append(want[Housing], homes[nth]...)
	}
	for _, table := range c.Tables() {
		got := rowsOf(t, c, table, 512)
		cleanRows(t, table, got)
		require.Equal(t, want[table], got, table)
	}
}

func hundredths(v int64) string { return string(appendHundredths(nil, v)) }

// identifiers gives the kind of the columns that dirt may respell.
var identifiers = map[string]map[int]identifier.Kind{
	Household: {0: identifier.ResidentID, 1: identifier.PersonName, 2: identifier.Mobile},
	Civil:     {0: identifier.ResidentID},
	Housing:   {0: identifier.ResidentID},
	Insurance: {0: identifier.ResidentID, 1: identifier.CreditCode},
}

// cleanRows brings rows to canonical form in place and counts those that were not.
func cleanRows(t testing.TB, table string, rows [][]string) (dirty int) {
	t.Helper()
	for _, row := range rows {
		changed := false
		for col, kind := range identifiers[table] {
			v, err := identifier.Canonical(kind, row[col])
			require.NoErrorf(t, err, "%s %q", table, row[col])
			changed = changed || v != row[col]
			row[col] = v
		}
		if changed {
			dirty++
		}
	}
	return dirty
}

func TestShareOfDirt(t *testing.T) {
	for _, dirt := range []float64{-1, 0.02, 1} {
		c := newCity(t, Params{Persons: 20_000, Seed: 2, Dirt: dirt})
		for _, table := range c.Tables() {
			rows := rowsOf(t, c, table, 4096)
			share := float64(cleanRows(t, table, rows)) / float64(len(rows))
			require.InDelta(t, max(dirt, 0), share, 0.01*max(dirt, 0)+0.006*min(max(dirt, 0)*50, 1), table)
		}
	}
	c := newCity(t, Params{Persons: 50_000, Seed: 2})
	rows := rowsOf(t, c, Household, 4096)
	require.InDelta(t, DefaultDirt*50_000, cleanRows(t, Household, rows), 40)
}

func TestShareOfInvalid(t *testing.T) {
	c := newCity(t, Params{Persons: 20_000, Seed: 2, Invalid: 0.05})
	rules := map[string]int{}
	for _, table := range c.Tables() {
		rows, bad := rowsOf(t, c, table, 4096), 0
		for _, row := range rows {
			_, err := identifier.Canonical(identifier.ResidentID, row[0])
			var e *identifier.Error
			if errors.As(err, &e) {
				bad++
				rules[e.Rule]++
			}
		}
		require.InDelta(t, 0.05, float64(bad)/float64(len(rows)), 0.01, table)
	}
	for _, rule := range []string{"check", "length", "date", "region", "character"} {
		require.Greater(t, rules[rule], 100, rule)
	}
}

// digests gives the SHA-256 of every file in dir, by name.
func digests(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		out[e.Name()] = hex.EncodeToString(sum[:])
	}
	return out
}

func TestSameBytesTwice(t *testing.T) {
	for _, f := range []Format{Parquet, CSV} {
		a, b, other := t.TempDir(), filepath.Join(t.TempDir(), "made", "here"), t.TempDir()
		p := Params{Persons: 30_000, Seed: 11}
		require.NoError(t, newCity(t, p).Write(context.Background(), a, f, nil))
		require.NoError(t, newCity(t, p).Write(context.Background(), b, f, nil))
		p.Seed++
		require.NoError(t, newCity(t, p).Write(context.Background(), other, f, nil))
		require.Len(t, digests(t, a), 4)
		require.Equal(t, digests(t, a), digests(t, b))
		for name, sum := range digests(t, other) {
			require.NotEqual(t, sum, digests(t, a)[name])
		}
		info, err := os.Stat(filepath.Join(a, "household."+string(f)))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

func TestFilesHoldTheRowsOfReader(t *testing.T) {
	c, dir := newCity(t, Params{Persons: 20_000, Seed: 1, Dirt: 0.05}), t.TempDir()
	require.NoError(t, c.Write(context.Background(), dir, CSV, nil))
	require.NoError(t, c.Write(context.Background(), dir, Parquet, nil))
	for _, table := range c.Tables() {
		want := rowsOf(t, c, table, writeBatch)
		text, err := os.Open(filepath.Join(dir, table+".csv"))
		require.NoError(t, err)
		rows, err := csv.NewReader(text).ReadAll()
		require.NoError(t, err)
		require.NoError(t, text.Close())
		for i, f := range c.Schema(table).Fields() {
			require.Equal(t, f.Name, rows[0][i])
		}
		require.True(t, equalRows(want, rows[1:]), table)
		require.True(t, equalRows(want, parquetRows(t, c.Schema(table), filepath.Join(dir, table+".parquet"))), table)
	}
}

func TestRowGroups(t *testing.T) {
	c, dir := newCity(t, Params{Persons: rowGroupSize + 1_000, Seed: 1}), t.TempDir()
	require.NoError(t, c.Write(context.Background(), dir, Parquet, nil))
	pf, err := file.OpenParquetFile(filepath.Join(dir, "household.parquet"), false)
	require.NoError(t, err)
	defer func() { require.NoError(t, pf.Close()) }()
	require.Equal(t, 2, pf.NumRowGroups())
	require.Equal(t, int64(rowGroupSize), pf.RowGroup(0).NumRows())
	require.Equal(t, int64(1_000), pf.RowGroup(1).NumRows())
}

// The bytes of a small city are pinned, on every machine and release.
func TestKnownBytes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, newCity(t, Params{Persons: 5_000, Seed: 1}).Write(context.Background(), dir, CSV, nil))
	require.Equal(t, map[string]string{
		"household.csv": "67736c5b8ee47d840a1a9e5c02fdaa9c7f1e6a629031c60e194d521946f2158f",
		"civil.csv":     "21dcc584064a8ae4fff3337f9b94f3c43d8171e61425a589476454ad53f314b5",
		"housing.csv":   "0b99223cbdd74d1963f8517318d8a35b4360c9dc4960e674b2abbfcf6742afd0",
		"insurance.csv": "5fe072f1702b0eda32810d84ad440f2eccf280c95365babfd8fd7c6e483d41f2",
	}, digests(t, dir))
}

func equalRows(a, b [][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		for j := range a[i] {
			if len(a[i]) != len(b[i]) || a[i][j] != b[i][j] {
				return false
			}
		}
	}
	return true
}

func parquetRows(t testing.TB, schema *arrow.Schema, path string) [][]string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	pf, err := file.OpenParquetFile(path, false)
	require.NoError(t, err)
	defer func() { require.NoError(t, pf.Close()) }()
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: 8192}, mem)
	require.NoError(t, err)
	got, err := fr.Schema()
	require.NoError(t, err)
	for i, f := range schema.Fields() {
		require.Equal(t, f.Name, got.Field(i).Name)
		require.True(t, arrow.TypeEqual(f.Type, got.Field(i).Type))
		require.Equal(t, f.Nullable, got.Field(i).Nullable)
	}
	r, err := fr.GetRecordReader(context.Background(), nil, nil)
	require.NoError(t, err)
	defer r.Release()
	// The record reader reports io.EOF as its error at the end.
	return drain(t, eofReader{r})
}

type eofReader struct{ pqarrow.RecordReader }

func (r eofReader) Err() error {
	if err := r.RecordReader.Err(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func TestProgressAddsUp(t *testing.T) {
	var last, all int64
	c := newCity(t, Params{Persons: 40_000})
	require.NoError(t, c.Write(context.Background(), t.TempDir(), Parquet, func(done, total int64) {
		require.Greater(t, done, last)
		last, all = done, total
	}))
	require.Equal(t, all, last)
	require.Equal(t, int64(6*40_000), all)
}

func TestCancelledWriteLeavesNothing(t *testing.T) {
	for _, f := range []Format{Parquet, CSV} {
		ctx, cancel := context.WithCancel(context.Background())
		dir := t.TempDir()
		err := newCity(t, Params{Persons: 200_000}).Write(ctx, dir, f, func(int64, int64) { cancel() })
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, digests(t, dir))
	}
}

func TestWriteErrorsNameNoPath(t *testing.T) {
	c := newCity(t, Params{Persons: 10})
	require.ErrorIs(t, c.Write(context.Background(), t.TempDir(), "xlsx", nil), ErrFormat)
	dir := filepath.Join(t.TempDir(), "secretplace")
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	err := c.Write(context.Background(), dir, CSV, nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secretplace")

	// A directory stands where a file should go: the call fails, what was there stays.
	dir = filepath.Join(t.TempDir(), "secretplace")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "housing.csv", "full"), 0o700))
	err = c.Write(context.Background(), dir, CSV, nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secretplace")
	left, globErr := filepath.Glob(filepath.Join(dir, ".*.tmp"))
	require.NoError(t, globErr)
	require.Empty(t, left)
}

type brokenPipe struct{ room int }

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.room -= len(p); b.room < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	c := newCity(t, Params{Persons: 20_000})
	for _, f := range []Format{Parquet, CSV} {
		err := c.writeTable(context.Background(), &brokenPipe{room: 1 << 16}, tableOf(Household), f, &meter{})
		require.ErrorIs(t, err, io.ErrClosedPipe)
	}
}

func TestQuoting(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "": `""`, "a,b": `"a,b"`, `a"b`: `"a""b"`, "a\nb": "\"a\nb\"", " a": `" a"`, "a ": `"a "`, "张 三": "张 三",
	} {
		require.Equal(t, want, string(appendQuoted(nil, in)))
	}
}
