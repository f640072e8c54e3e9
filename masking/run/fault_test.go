package run

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"
)

var errInjected = errors.New("no space left on device")

// faulty is a disk whose n-th change fails: an error, or a write that takes
// half of what it was given, with or without an error.
type faulty struct {
	osDisk
	left  *int
	short bool
	quiet bool
}

func (f faulty) fail() error {
	if *f.left--; *f.left == 0 {
		return errInjected
	}
	return nil
}

func (f faulty) Mkdir(name string) error {
	return errors.Join(f.fail(), f.osDisk.Mkdir(name))
}

func (f faulty) Create(name string) (handle, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	h, err := f.osDisk.Create(name)
	return faultyHandle{h, f}, err
}

func (f faulty) Remove(name string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.osDisk.Remove(name)
}

func (f faulty) Rename(from, to string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.osDisk.Rename(from, to)
}

func (f faulty) SyncDir(name string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.osDisk.SyncDir(name)
}

type faultyHandle struct {
	handle
	f faulty
}

func (h faultyHandle) Write(b []byte) (int, error) {
	if err := h.f.fail(); err != nil {
		if !h.f.short {
			return 0, err
		}
		n, _ := h.handle.Write(b[:len(b)/2])
		if h.f.quiet {
			return n, nil
		}
		return n, err
	}
	return h.handle.Write(b)
}

func (h faultyHandle) Sync() error { return errors.Join(h.f.fail(), h.handle.Sync()) }

func (h faultyHandle) Close() error { return errors.Join(h.handle.Close(), h.f.fail()) }

// TestEveryFaultOfTheDiskEndsClean fails each change of the disk in turn: the
// run ends with an error that names no path, nothing is taken for a whole
// table, and the next run finishes what was begun.
func TestEveryFaultOfTheDiskEndsClean(t *testing.T) {
	for f, kinds := range map[Format][]string{Parquet: {"error", "quiet"}, Arrow: {"short"}} {
		for _, kind := range kinds {
			faults := 0
			for n := 1; ; n++ {
				dir := filepath.Join(t.TempDir(), "out")
				in := Input{Open: table(t, memory.DefaultAllocator, 60, 10)}
				o := Options{Dir: dir, Format: f, PartRows: 40, Workers: 2}
				left := n
				j, err := newJob(testMasker(t, nil), in, o, faulty{left: &left, short: kind != "error", quiet: kind == "quiet"})
				require.NoError(t, err)
				_, err = j.run(context.Background())
				if left > 0 {
					require.NoError(t, err)
					require.Greater(t, faults, 20)
					break
				}
				faults++
				require.Error(t, err, "change %d", n)
				require.NotContains(t, err.Error(), dir)
				there, _ := osDisk{}.Exists(dir)
				if there { // only the name itself was not synced
					require.Contains(t, err.Error(), "sync directory")
				} else {
					_, err = Run(context.Background(), testMasker(t, nil), in, o)
					require.NoError(t, err, "change %d", n)
				}
				require.Equal(t, wanted(60), cells(t, dir), "change %d", n)
			}
		}
	}
}

func TestErrorsOfTheDiskHoldNoPath(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nowhere", "place")
	_, err := Run(context.Background(), testMasker(t, nil), Input{Open: table(t, nil, 1, 1)}, Options{Dir: missing})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "nowhere")
}

func TestManifestIsReadStrictly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	m, err := Run(context.Background(), testMasker(t, nil), Input{Open: table(t, memory.DefaultAllocator, 90, 10)}, Options{Dir: dir, PartRows: 40})
	require.NoError(t, err)
	raw, err := m.encode()
	require.NoError(t, err)
	_, err = parseManifest(strings.NewReader(string(raw)))
	require.NoError(t, err)
	for _, c := range [][2]string{
		{`"masked_table": 1`, `"masked_table": 2`}, {`part-000001`, `../../part`}, {`"format": "parquet"`, `"format": "csv"`},
		{`"rows_read": 90`, `"rows_read": 91`}, {`"rows_suppressed": 18`, `"rows_suppressed": 17`}, {`"rows": 72`, `"rows": 73`},
		{`"complete": true`, `"complete": true, "more": 1`}, {`"policy_sm3": "`, `"policy_sm3": "x`}, {`part-000002`, `part-000001`},
	} {
		changed := strings.Replace(string(raw), c[0], c[1], 1)
		require.NotEqual(t, string(raw), changed, c[0])
		_, err = parseManifest(strings.NewReader(changed))
		require.Error(t, err, c[0])
	}
	for _, junk := range []string{"", "{}", "null", "[]", string(raw) + "{}", string(raw[:len(raw)/2])} {
		_, err = parseManifest(strings.NewReader(junk))
		require.Error(t, err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"masked_table":1,"format":"arrow","parts":[{"name":"part-000001.arrow","rows":1,"read":1,"bytes":3}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(io.MultiReader(strings.NewReader(string(b))))
		if err != nil {
			return
		}
		for _, p := range m.Parts {
			require.Equal(t, p.Name, filepath.Base(p.Name))
		}
	})
}
