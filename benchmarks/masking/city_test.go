package masking

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/benchmarks/city"
	"github.com/yumen-project/yumen/connectors"
	filesource "github.com/yumen-project/yumen/connectors/file"
	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/run"
)

// household masks eight of the nine columns of the register; the ninth, the
// objection, is left out.
const household = `masking: 1
name: household
columns:
  - {name: rid, class: direct_identifier, grade: 3, technique: pseudonym, key: k, params: {bits: 80, encoding: base32}, nulls: keep}
  - {name: name, class: direct_identifier, grade: 3, technique: redact, params: {keep_first: 1}, nulls: keep}
  - {name: phone, class: direct_identifier, grade: 3, technique: redact, params: {keep_first: 3}, nulls: keep}
  - {name: birth, class: quasi_identifier, grade: 2, technique: generalize, params: {to: month}, nulls: keep}
  - {name: sex, class: quasi_identifier, grade: 1, technique: keep, nulls: keep}
  - {name: district, class: quasi_identifier, grade: 1, technique: generalize, params: {to: region, digits: 4}, nulls: keep}
  - {name: household_id, class: direct_identifier, grade: 3, technique: pseudonym, key: k, params: {bits: 80, encoding: base32}, nulls: keep}
  - {name: kind, class: attribute, grade: 1, technique: keep, nulls: keep}
`

type oneKey struct{}

func (oneKey) Key(_, _ string) ([]byte, error) {
	return []byte("a key of thirty-two bytes ......"), nil
}

// register writes the household register once and gives its path.
func register(b *testing.B, persons int) string {
	b.Helper()
	dir := os.Getenv("YUMEN_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	dir = filepath.Join(dir, strconv.Itoa(persons))
	path := filepath.Join(dir, "household.parquet")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	c, err := city.New(city.Params{Persons: persons, Seed: 1})
	require.NoError(b, err)
	require.NoError(b, c.Write(context.Background(), dir, city.Parquet, nil))
	return path
}

var columns = []string{"rid", "name", "phone", "birth", "sex", "district", "household_id", "kind"}

// throughConnector reads as the gateway does: strictly, each value checked.
func throughConnector(b *testing.B, path string) run.Open {
	b.Helper()
	var fields []connectors.Field
	c, err := city.New(city.Params{Persons: 1})
	require.NoError(b, err)
	for _, f := range c.Schema(city.Household).Fields() {
		t := map[string]string{"utf8": "string", "date32": "date", "bool": "bool"}[f.Type.String()]
		fields = append(fields, connectors.Field{Name: f.Name, Type: t, Nullable: f.Nullable})
	}
	src, err := filesource.New(filesource.Options{Path: path, Format: filesource.Parquet, Fields: fields})
	require.NoError(b, err)
	return func(ctx context.Context) (array.RecordReader, error) {
		return src.Open(ctx, connectors.Scan{Columns: columns, BatchRows: 1 << 14})
	}
}

// throughLibrary reads with arrow's own reader.
func throughLibrary(path string) run.Open {
	return func(ctx context.Context) (array.RecordReader, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		props := parquet.NewReaderProperties(memory.DefaultAllocator)
		props.BufferedStreamEnabled = true
		pf, err := file.NewParquetReader(f, file.WithReadProps(props))
		if err != nil {
			return nil, err
		}
		fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: 1 << 14}, memory.DefaultAllocator)
		if err != nil {
			return nil, err
		}
		rr, err := fr.GetRecordReader(ctx, []int{0, 1, 2, 3, 4, 5, 6, 7}, nil)
		return &ended{rr, f}, err
	}
}

// ended takes the library's io.EOF for the end, which it is.
type ended struct {
	pqarrow.RecordReader
	f *os.File
}

func (e *ended) Err() error {
	if err := e.RecordReader.Err(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (e *ended) Release() {
	e.RecordReader.Release()
	_ = e.f.Close() // only read
}

func BenchmarkHouseholdParquetToParquet(b *testing.B) {
	persons := 1_000_000
	if s := os.Getenv("YUMEN_BENCH_PERSONS"); s != "" {
		var err error
		persons, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	path := register(b, persons)
	for name, open := range map[string]run.Open{"connector": throughConnector(b, path), "library": throughLibrary(path)} {
		b.Run(name, func(b *testing.B) {
			in, err := open(context.Background())
			require.NoError(b, err)
			schema := in.Schema()
			in.Release()
			p, err := masking.ParsePolicy([]byte(household))
			require.NoError(b, err)
			i := 0
			for b.Loop() {
				m, err := masking.Compile(p, schema, oneKey{}, nil)
				require.NoError(b, err)
				dir := filepath.Join(b.TempDir(), fmt.Sprint(i))
				i++
				t0, c0 := time.Now(), processor(b)
				out, err := run.Run(context.Background(), m, run.Input{Open: open, Rows: int64(persons)}, run.Options{Dir: dir})
				require.NoError(b, err)
				require.EqualValues(b, persons, out.Rows)
				b.ReportMetric(float64(persons)/time.Since(t0).Seconds()/1e6, "Mrows/s")
				b.ReportMetric((processor(b)-c0).Seconds()*1e6/float64(persons), "cpu-us/row")
				require.NoError(b, os.RemoveAll(dir))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(peak(b), "peak-MB")
			b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "cores")
		})
	}
}

// processor is the processor time of the process: on a machine that others use
// too, two cores divided by it is the rate of an idle machine.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the greatest resident memory of the process so far, in MB.
func peak(b *testing.B) float64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			require.NoError(b, err)
			return float64(kb) / 1024
		}
	}
	return 0
}
