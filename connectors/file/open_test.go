package file

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
)

// refused demands that Describe and Open fail without naming the place.
func refused(t *testing.T, o Options, want error) {
	t.Helper()
	src := newSource(t, o)
	_, err := src.Describe(context.Background())
	require.ErrorIs(t, err, want)
	_, err = src.Open(context.Background(), connectors.Scan{})
	require.ErrorIs(t, err, want)
	require.NotContains(t, err.Error(), filepath.Base(o.Path))
	require.NotContains(t, err.Error(), os.TempDir())
}

func TestOnlyRegularFiles(t *testing.T) {
	o := csvOptions(t, "a\n1\n", field("a", "int64"))
	dir := filepath.Dir(o.Path)
	fifo := filepath.Join(dir, "fifo.csv")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	for _, path := range []string{fifo, dir, "/dev/zero"} {
		o.Path = path
		refused(t, o, errNotRegular)
	}
	o.Path = filepath.Join(dir, "none.csv")
	refused(t, o, os.ErrNotExist)

	o.Root, o.Path = dir, "fifo.csv"
	refused(t, o, errNotRegular)
}

func TestRootIsNotLeft(t *testing.T) {
	o := csvOptions(t, "a\n1\n", field("a", "int64"))
	outside := o.Path
	root := t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(root, "link.csv")))
	require.NoError(t, os.Symlink(filepath.Dir(outside), filepath.Join(root, "dir")))
	require.NoError(t, os.WriteFile(filepath.Join(root, "in.csv"), []byte("a\n2\n"), 0o600))
	require.NoError(t, os.Symlink("in.csv", filepath.Join(root, "inner.csv")))
	o.Root = root
	for _, path := range []string{"link.csv", "dir/in.csv", "../x/in.csv", outside, "/etc/hostname"} {
		o.Path = path
		src := newSource(t, o)
		_, err := src.Open(context.Background(), connectors.Scan{})
		require.Error(t, err, path)
		require.NotContains(t, err.Error(), outside)
	}
	for _, path := range []string{"in.csv", "inner.csv", filepath.Join(root, "in.csv")} {
		o.Path = path
		require.Equal(t, "{\"a\":2}\n", mustRead(t, o), path)
	}
}

func TestFileReplacedWhileRead(t *testing.T) {
	o := csvOptions(t, "a\n1\n2\n", field("a", "int64"))
	r, err := newSource(t, o).Open(context.Background(), connectors.Scan{BatchRows: 1})
	require.NoError(t, err)
	defer r.Release()
	require.True(t, r.Next())
	other := write(t, "other.csv", []byte("a\nnonsense\n"))
	require.NoError(t, os.Rename(other, o.Path))
	require.True(t, r.Next(), "the file opened is the file read")
	require.False(t, r.Next())
	require.NoError(t, r.Err())
}

func TestFileChangedWhileRead(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"appended": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("3\n")
			return err
		},
		"truncated": func(path string) error { return os.Truncate(path, 4) },
	} {
		t.Run(name, func(t *testing.T) {
			o := csvOptions(t, "a\n1\n2\n", field("a", "int64"))
			src := newSource(t, o)
			before, err := src.Describe(context.Background())
			require.NoError(t, err)
			r, err := src.Open(context.Background(), connectors.Scan{BatchRows: 1})
			require.NoError(t, err)
			defer r.Release()
			require.True(t, r.Next())
			require.NoError(t, change(o.Path))
			for r.Next() {
			}
			require.ErrorIs(t, r.Err(), connectors.ErrMalformed)
			after, err := src.Describe(context.Background())
			require.NoError(t, err)
			require.NotEqual(t, before.Fingerprint, after.Fingerprint)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	good := Options{Path: "x", Format: CSV, Fields: []connectors.Field{field("a", "int64")}}
	_, err := New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*Options){
		"no path":         func(o *Options) { o.Path = "" },
		"format":          func(o *Options) { o.Format = "xls" },
		"no fields":       func(o *Options) { o.Fields = nil },
		"type":            func(o *Options) { o.Fields = []connectors.Field{field("a", "int")} },
		"row number":      func(o *Options) { o.RowNumber = "a" },
		"quote separates": func(o *Options) { o.Separator = '"' },
		"wide separator":  func(o *Options) { o.Separator = '，' },
		"line separates":  func(o *Options) { o.Separator = '\n' },
		"cell bound":      func(o *Options) { o.MaxCellBytes = LargestCellBytes + 1 },
		"file bound":      func(o *Options) { o.MaxFileBytes = -1 },
	} {
		o := good
		change(&o)
		_, err := New(o)
		require.Error(t, err, name)
	}
}
