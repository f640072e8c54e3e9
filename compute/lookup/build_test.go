package lookup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
)

func TestBuild_CanonicalFormsAreOneSubject(t *testing.T) {
	subject := Subject{Field: "rid", Identifier: identifier.ResidentID}
	p, err := Compile(persons, personSchema, subject)
	require.NoError(t, err)
	rows := []person{
		{id: "11010519491231002x", age: 20},
		{id: "１１０１０５１９４９１２３１００２Ｘ", district: "220202"},
		{id: " 110105 491231 002 ", area: 70.0, name: "买买提・吐尔逊", phone: "+86 138-0013-8000"},
	}
	dir, stats, err := buildPeople(t, p, "v", rows, nil)
	require.NoError(t, err)
	require.Equal(t, BuildStats{Rows: 3, Subjects: 1, Unmatchable: 2}, *stats)
	ix, err := Open(dir, p, "household", "v", testKeys(t, "v"), 0)
	require.NoError(t, err)
	defer ix.Close()
	id, err := identifier.Canonical(identifier.ResidentID, "110105491231002")
	require.NoError(t, err)
	name, err := identifier.Canonical(identifier.PersonName, "买买提·吐尔逊")
	require.NoError(t, err)
	phone, err := identifier.Canonical(identifier.Mobile, "１３８００１３８０００")
	require.NoError(t, err)
	require.Equal(t, Yes, ask(t, ix, "adult", id))
	require.Equal(t, Yes, ask(t, ix, "in-district", id))
	require.Equal(t, Yes, ask(t, ix, "home-mid", id))
	require.Equal(t, Match, askIdentity(t, ix, id, name, phone))
}

func TestBuild_SubjectsOfInt64(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	p, err := Compile([]Predicate{{ID: "there", Kind: Exists}}, schema, Subject{Field: "n", Identifier: identifier.Opaque})
	require.NoError(t, err)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, -2}, nil)
	src, err := array.NewRecordReader(schema, []arrow.Record{b.NewRecord()})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "ix")
	_, err = Build(context.Background(), src, p, BuildOptions{Dir: dir, Dataset: "d", Version: "v", Keys: testKeys(t, "v")})
	require.NoError(t, err)
	ix, err := Open(dir, p, "d", "v", testKeys(t, "v"), 0)
	require.NoError(t, err)
	defer ix.Close()
	require.Equal(t, Yes, ask(t, ix, "there", "-2"))
	require.Equal(t, NotFound, ask(t, ix, "there", "2"))
}

func TestBuild_InvalidRows(t *testing.T) {
	rows := make([]person, 5000)
	for i := range rows {
		rows[i].id = numbered(i)
	}
	rows[3210].id, rows[3211].id, rows[4999].id = nil, "", "\xff"
	p := personProgram(t)
	dir, _, err := buildPeople(t, p, "v", rows, nil)
	require.ErrorIs(t, err, ErrInvalidRows)
	require.ErrorContains(t, err, `row 3211: field "rid"`)
	require.ErrorContains(t, err, "rule null")
	requireNothing(t, dir)

	_, _, err = buildPeople(t, p, "v", rows, func(o *BuildOptions) { o.MaxInvalidShare = 2.0 / 5000 })
	require.ErrorIs(t, err, ErrInvalidRows)
	_, stats, err := buildPeople(t, p, "v", rows, func(o *BuildOptions) { o.MaxInvalidShare = 3.0 / 5000 })
	require.NoError(t, err)
	require.Equal(t, BuildStats{Rows: 5000, Subjects: 4997, Invalid: 3, FirstInvalidRow: 3211, Unmatchable: 4997}, *stats)
}

func TestBuild_IdentityConflicts(t *testing.T) {
	var rows []person
	for i := range 3000 {
		rows = append(rows, person{id: numbered(i % 1000), name: "王小明", phone: "13800138000"})
	}
	rows[7].name = nil        // p7's identity is its second row's
	rows[2007].name = "李四"    // and its third row differs
	rows[1005].phone = "oops" // no valid identity, so no conflict
	rows[2900].name = "王 小 明" // another spelling, no conflict
	p := personProgram(t)
	for _, memory := range []int64{1, 1 << 10, 0} {
		dir, _, err := buildPeople(t, p, "v", rows, func(o *BuildOptions) { o.MemoryBytes = memory })
		require.ErrorIs(t, err, ErrInvalidRows)
		require.ErrorContains(t, err, `row 2008: fields "name" and "phone"`)
		requireNothing(t, dir)
		dir, stats, err := buildPeople(t, p, "v", rows, func(o *BuildOptions) {
			o.MemoryBytes, o.MaxInvalidShare = memory, 0.001
		})
		require.NoError(t, err)
		require.Equal(t, BuildStats{Rows: 3000, Subjects: 1000, Conflicts: 1, FirstConflictRow: 2008, Unmatchable: 2}, *stats)
		ix, err := Open(dir, p, "household", "v", testKeys(t, "v"), 0)
		require.NoError(t, err)
		require.Equal(t, Match, askIdentity(t, ix, numbered(7), "王小明", "13800138000"))
		require.Equal(t, Mismatch, askIdentity(t, ix, numbered(7), "李四", "13800138000"))
		require.NoError(t, ix.Close())
	}
}

func TestPartition_SpillHoldsNothingInClear(t *testing.T) {
	o := &BuildOptions{Dataset: "household", Version: "v", Keys: testKeys(t, "v")}
	in := &intake{p: personProgram(t), o: o, spill: t.TempDir(), random: &lockedReader{r: rand.Reader}}
	pt := newPartition(in, 0, 1<<20)
	parts := partitions{pt}
	defer func() { require.NoError(t, parts.close()) }()
	var want entry
	for row := range int64(4) { // two runs of two rows
		e := entry{key: indexKey{7, 8, 9}, outcomes: 1 << row, row: row + 1, flags: flagIdentity, digests: [32]byte{byte(row / 3)}}
		require.NoError(t, pt.add(&e))
		if row%2 == 1 {
			require.NoError(t, pt.flush())
		}
		want = e
	}
	want.outcomes, want.row, want.conflict, want.digests = 15, 1, 4, [32]byte{}
	path := filepath.Join(in.spill, "0")
	spilled, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, spilled, 2*sealedLen(2*entryIdentity))
	require.NotContains(t, string(spilled), string(want.key[:8]))

	t.Run("changed", func(t *testing.T) {
		spilled[20] ^= 1
		require.NoError(t, os.WriteFile(path, spilled, 0o600))
		_, err := parts.bucket(7, 0)
		require.ErrorIs(t, err, ErrCorrupt)
		spilled[20] ^= 1
		require.NoError(t, os.WriteFile(path, spilled, 0o600))
		pt.frames[7] = []frame{{0, len(spilled) / 2}, {int64(len(spilled) / 2), len(spilled) / 2}}
	})
	b, err := parts.bucket(7, 0)
	require.NoError(t, err)
	require.Len(t, b, entryIdentity)
	var got entry
	got.read(b)
	require.Equal(t, want, got)
}

func TestBuild_RefusesOptions(t *testing.T) {
	p := personProgram(t)
	long := string(make([]byte, 256))
	for name, change := range map[string]func(*BuildOptions){
		"no directory":  func(o *BuildOptions) { o.Dir = "" },
		"no keys":       func(o *BuildOptions) { o.Keys = nil },
		"no dataset":    func(o *BuildOptions) { o.Dataset = "" },
		"long dataset":  func(o *BuildOptions) { o.Dataset = long },
		"no version":    func(o *BuildOptions) { o.Version = "" },
		"long version":  func(o *BuildOptions) { o.Version = long },
		"share":         func(o *BuildOptions) { o.MaxInvalidShare = 1.5 },
		"memory":        func(o *BuildOptions) { o.MemoryBytes = -1 },
		"random":        func(o *BuildOptions) { o.Random = bytes.NewReader(nil) },
		"parent a file": func(o *BuildOptions) { o.Dir = filepath.Join(os.Args[0], "x") },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := buildPeople(t, p, "v", someRows, change)
			require.ErrorContains(t, err, "build index")
			require.NotContains(t, err.Error(), filepath.Dir(os.Args[0]))
		})
	}
}

func TestBuild_KeepsWhatIsThere(t *testing.T) {
	dir, _, err := buildPeople(t, personProgram(t), "v", someRows, nil)
	require.NoError(t, err)
	_, _, err = buildPeople(t, personProgram(t), "v", someRows, func(o *BuildOptions) { o.Dir = dir })
	require.ErrorIs(t, err, ErrExists)
	ix, err := Open(dir, personProgram(t), "household", "v", testKeys(t, "v"), 0)
	require.NoError(t, err)
	require.NoError(t, ix.Close())
}

func TestBuild_SchemaDrift(t *testing.T) {
	for name, fields := range map[string][]arrow.Field{
		"missing": personSchema.Fields()[:7],
		"twice":   append(personSchema.Fields(), personSchema.Field(3)),
		"type":    append(personSchema.Fields()[:7:7], arrow.Field{Name: "phone", Type: arrow.PrimitiveTypes.Int64}),
	} {
		t.Run(name, func(t *testing.T) {
			src, err := array.NewRecordReader(arrow.NewSchema(fields, nil), nil)
			require.NoError(t, err)
			dir := filepath.Join(t.TempDir(), "ix")
			_, err = Build(context.Background(), src, personProgram(t), BuildOptions{Dir: dir, Dataset: "d", Version: "v", Keys: testKeys(t, "v")})
			require.ErrorIs(t, err, ErrSchema)
			requireNothing(t, dir)
		})
	}
}

// failingReader ends with an error after its first batch, or cancels there.
type failingReader struct {
	array.RecordReader
	left   int
	err    error
	cancel func()
}

func (f *failingReader) Next() bool {
	if f.left == 0 {
		if f.cancel != nil {
			f.cancel()
			return f.RecordReader.Next()
		}
		return false
	}
	f.left--
	return f.RecordReader.Next()
}
func (f *failingReader) Err() error { return f.err }

func TestBuild_LeavesNothingBehind(t *testing.T) {
	rows := make([]person, 4000)
	for i := range rows {
		rows[i].id = numbered(i)
	}
	build := func(ctx context.Context, wrap *failingReader, random func(*BuildOptions)) error {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer mem.AssertSize(t, 0)
		wrap.RecordReader = people(t, mem, rows, 1000)
		defer wrap.RecordReader.Release()
		o := BuildOptions{Dir: filepath.Join(t.TempDir(), "ix"), Dataset: "d", Version: "v", Keys: testKeys(t, "v"), MemoryBytes: 32 << 10}
		if random != nil {
			random(&o)
		}
		_, err := Build(ctx, wrap, personProgram(t), o)
		if err != nil {
			requireNothing(t, o.Dir)
		}
		return err
	}
	gone := errors.New("source went away")
	require.ErrorIs(t, build(context.Background(), &failingReader{left: 2, err: gone}, nil), gone)
	ctx, cancel := context.WithCancel(context.Background())
	require.ErrorIs(t, build(ctx, &failingReader{left: 2, cancel: cancel}, nil), context.Canceled)
	// The source of randomness fails at one step after the other.
	for n := 0; n < 200_000; n = n*3/2 + 16 {
		err := build(context.Background(), &failingReader{left: 100}, func(o *BuildOptions) {
			b := make([]byte, n)
			rand.Read(b)
			o.Random = bytes.NewReader(b)
		})
		if err == nil {
			break
		}
		require.ErrorContains(t, err, "random source failed")
	}
}

// requireNothing asserts that neither an index nor a half-made one is there.
func requireNothing(t *testing.T, dir string) {
	for _, path := range []string{dir, dir + ".building"} {
		_, err := os.Stat(path)
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

const killedDir = "LOOKUP_KILLED_BUILD"

// TestBuild_KilledHalfway kills a process in the middle of Build: Open accepts
// nothing of what remains, and the next Build clears it away.
func TestBuild_KilledHalfway(t *testing.T) {
	rows := make([]person, 4000)
	for i := range rows {
		rows[i].id = numbered(i)
	}
	if dir := os.Getenv(killedDir); dir != "" {
		_, _, err := buildPeople(t, personProgram(t), "v", rows, func(o *BuildOptions) {
			o.Dir, o.MemoryBytes = dir, 8<<10
			o.Progress = func(n int64) {
				if n == 4000 {
					fmt.Fprintln(os.Stdout, "halfway")
					select {}
				}
			}
		})
		require.NoError(t, err)
		return
	}
	dir := filepath.Join(t.TempDir(), "ix")
	cmd := exec.Command(os.Args[0], "-test.run=^TestBuild_KilledHalfway$")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "halfway\n", line)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	require.DirExists(t, dir+".building")
	for _, left := range []string{dir, dir + ".building"} {
		_, err = Open(left, personProgram(t), "household", "v", testKeys(t, "v"), 0)
		require.ErrorIs(t, err, ErrCorrupt)
	}
	_, _, err = buildPeople(t, personProgram(t), "v", rows, func(o *BuildOptions) { o.Dir = dir })
	require.NoError(t, err)
	require.NoDirExists(t, dir+".building")
}
