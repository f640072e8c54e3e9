package run

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
)

const childDir = "YUMEN_MASK_RUN_CHILD"

// slowly gives a table batch by batch, with a wait before each.
func slowly(open Open, wait time.Duration) Open {
	return func(ctx context.Context) (array.RecordReader, error) {
		r, err := open(ctx)
		return &slow{r, wait}, err
	}
}

type slow struct {
	array.RecordReader
	wait time.Duration
}

func (s *slow) Next() bool {
	time.Sleep(s.wait)
	return s.RecordReader.Next()
}

const killRows, killBatch, killPart = 2400, 40, 240

// TestChild is the process that is killed; by itself it does nothing.
func TestChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	in := Input{Open: slowly(table(t, memory.DefaultAllocator, killRows, killBatch), 3*time.Millisecond), Digest: [32]byte{9}}
	_, err := Run(context.Background(), testMasker(t, nil), in, Options{Dir: dir, PartRows: killPart, Workers: 2})
	require.NoError(t, err)
}

// TestKilledRunsResume kills a child process again and again, each time at
// another moment after it has got a part further, until one ends by itself. Once
// the directory has its name it holds what one undisturbed run would have made.
func TestKilledRunsResume(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	self, err := os.Executable()
	require.NoError(t, err)
	kills := 0
	for killed := true; killed; {
		before := partsDone(t, dir)
		cmd := exec.Command(self, "-test.run", "^TestChild$", "-test.count=1")
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		require.NoError(t, cmd.Start())
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		for killed = false; !killed; {
			select {
			case err := <-done:
				require.NoError(t, err)
			case <-time.After(time.Millisecond):
				if partsDone(t, dir) <= before {
					continue
				}
				time.Sleep(time.Duration(kills*7%29) * time.Millisecond)
				_ = cmd.Process.Kill() // it may have ended by itself
				killed = <-done != nil
			}
			break
		}
		if _, err := os.Stat(dir); err == nil {
			break // named, and so whole, before the kill came
		}
		if killed {
			kills++
			require.Greater(t, partsDone(t, dir), before, "what was recorded stays")
		}
	}
	t.Logf("%d kills", kills)
	require.GreaterOrEqual(t, kills, 2)
	require.Equal(t, wanted(killRows), cells(t, dir))
	m, err := Load(dir)
	require.NoError(t, err)
	require.Len(t, m.Parts, killRows/killPart)
	require.EqualValues(t, killRows, m.RowsRead)
	require.EqualValues(t, killRows/5, m.Columns[1].Nulls)
}

func partsDone(t *testing.T, dir string) int {
	raw, err := os.Open(filepath.Join(dir+".partial", progressName))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	defer raw.Close()
	m, err := parseManifest(raw)
	require.NoError(t, err)
	return len(m.Parts)
}

// stopAfter cancels a run after so many batches.
func stopAfter(t *testing.T, n int, in Input, o Options) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(Progress) {
		if n--; n == 0 {
			cancel()
		}
	}
	_, err := Run(ctx, testMasker(t, nil), in, o)
	require.ErrorIs(t, err, context.Canceled)
}

func TestResumeIsOfTheSameRunOnly(t *testing.T) {
	for name, c := range map[string]struct {
		change func(in *Input, o *Options, dir string)
		want   error
	}{
		"same":          {func(*Input, *Options, string) {}, nil},
		"other batches": {func(in *Input, _ *Options, _ string) { in.Open = table(t, memory.DefaultAllocator, 500, 33) }, nil},
		"other parts":   {func(_ *Input, o *Options, _ string) { o.PartRows = 1000 }, nil},
		"other input":   {func(in *Input, _ *Options, _ string) { in.Digest[31] ^= 1 }, ErrOther},
		"other format":  {func(_ *Input, o *Options, _ string) { o.Format = Arrow }, ErrOther},
		"shorter input": {func(in *Input, _ *Options, _ string) { in.Open = table(t, memory.DefaultAllocator, 60, 10) }, ErrShort},
		"flipped bit": {func(_ *Input, _ *Options, dir string) {
			path := filepath.Join(dir+".partial", "part-000001.parquet")
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			raw[len(raw)/2] ^= 4
			require.NoError(t, os.WriteFile(path, raw, 0o600))
		}, ErrDamaged},
		"truncated part": {func(_ *Input, _ *Options, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir+".partial", "part-000002.parquet"), 40))
		}, ErrDamaged},
		"lost part": {func(_ *Input, _ *Options, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir+".partial", "part-000001.parquet")))
		}, ErrDamaged},
		"torn record": {func(_ *Input, _ *Options, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir+".partial", progressName), 100))
		}, ErrDamaged},
		"foreign file": {func(_ *Input, _ *Options, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir+".partial", "notes.txt"), nil, 0o600))
		}, ErrOther},
		"remains": {func(_ *Input, _ *Options, dir string) {
			for _, n := range []string{"part-000003.parquet", "part-000009.parquet.tmp", progressName + tmpSuffix} {
				require.NoError(t, os.WriteFile(filepath.Join(dir+".partial", n), []byte("torn"), 0o600))
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			in := Input{Open: table(t, memory.DefaultAllocator, 500, 25), Digest: [32]byte{1}}
			o := Options{Dir: dir, PartRows: 50, Workers: 1}
			stopAfter(t, 5, in, o)
			require.Equal(t, 2, partsDone(t, dir))
			c.change(&in, &o, dir)
			_, err := Run(context.Background(), testMasker(t, nil), in, o)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				_, err = os.Stat(dir)
				require.ErrorIs(t, err, os.ErrNotExist)
				return
			}
			require.NoError(t, err)
			require.Equal(t, wanted(500), cells(t, dir))
		})
	}
}

func TestResumeRefusesAnotherPolicy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	in := Input{Open: table(t, memory.DefaultAllocator, 500, 25)}
	stopAfter(t, 5, in, Options{Dir: dir, PartRows: 50, Workers: 1})
	p := testPolicy()
	p.Columns[1].Params["width"] = "5"
	m, err := compileTest(p)
	require.NoError(t, err)
	_, err = Run(context.Background(), m, in, Options{Dir: dir, PartRows: 50})
	require.ErrorIs(t, err, ErrOther)
}

func TestTwoRunsAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	in := Input{Open: table(t, memory.DefaultAllocator, 100, 10)}
	inner := error(nil)
	_, err := Run(context.Background(), testMasker(t, nil), in, Options{Dir: dir, Progress: func(Progress) {
		_, inner = Run(context.Background(), testMasker(t, nil), in, Options{Dir: dir})
	}})
	require.NoError(t, err)
	require.ErrorIs(t, inner, ErrBusy)
	require.Equal(t, wanted(100), cells(t, dir))
}

// TestFinishedTableIsChecked: nothing of a damaged table is read.
func TestFinishedTableIsChecked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	_, err := Run(context.Background(), testMasker(t, nil), Input{Open: table(t, memory.DefaultAllocator, 100, 10)}, Options{Dir: dir})
	require.NoError(t, err)
	path := filepath.Join(dir, "part-000001.parquet")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	for at := 0; at < len(raw); at += 5 {
		bad := append([]byte(nil), raw...)
		bad[at] ^= 0x10
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		_, _, err = OpenTable(context.Background(), dir)
		require.ErrorIs(t, err, ErrDamaged)
	}
	require.NoError(t, os.Remove(filepath.Join(dir, manifestName)))
	_, err = Load(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestBadRowNamesItsPlaceInTheRead(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "c", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	var recs []arrow.Record
	for i := range 10 {
		for j := range 10 {
			if i == 7 && j == 3 {
				b.AppendNull()
			} else {
				b.Append(7)
			}
		}
		recs = append(recs, array.NewRecord(schema, []arrow.Array{b.NewArray()}, 10))
	}
	open := func(context.Context) (array.RecordReader, error) { return array.NewRecordReader(schema, recs) }
	p := testPolicy()
	p.Columns = p.Columns[1:2]
	p.Columns[0].Name, p.Columns[0].Nulls = "c", "refuse"
	m, err := compileOver(p, schema)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "out")
	_, err = Run(context.Background(), m, Input{Open: open}, Options{Dir: dir, PartRows: 20})
	require.ErrorContains(t, err, `column "c" at row 74`)
	_, err = Run(context.Background(), m, Input{Open: open}, Options{Dir: dir, PartRows: 20})
	require.ErrorContains(t, err, `column "c" at row 74`, "resumed, the count goes on")
	require.NotContains(t, err.Error(), dir)
}
