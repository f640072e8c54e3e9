package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"yumen-verify": main})
}

// TestScripts runs testdata/*.txtar over a world made for all of them.
func TestScripts(t *testing.T) {
	w := newWorld(t, newKey(t))
	w.fill()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata",
		Setup: func(env *testscript.Env) error { return os.CopyFS(env.WorkDir, os.DirFS(w.dir)) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "flip": flip, "swap": swap, "cut": cut,
		},
	})
}

// status CODE COMMAND ... requires the exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// edit rewrites a file.
func edit(ts *testscript.TestScript, name string, change func([]byte) []byte) {
	name = ts.MkAbs(name)
	b, err := os.ReadFile(name)
	ts.Check(err)
	ts.Check(os.WriteFile(name, change(b), 0o600))
}

// flip FILE OFFSET changes one bit.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	edit(ts, args[0], func(b []byte) []byte {
		b[at] ^= 1
		return b
	})
}

// swap FILE SIZE exchanges the first two records of that size.
func swap(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	edit(ts, args[0], func(b []byte) []byte {
		return append(append(append([]byte{}, b[size:2*size]...), b[:size]...), b[2*size:]...)
	})
}

// cut FILE SIZE takes so many bytes off the end.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	edit(ts, args[0], func(b []byte) []byte { return b[:len(b)-size] })
}

func read(t *testing.T, elem ...string) []byte {
	b, err := os.ReadFile(filepath.Join(elem...))
	require.NoError(t, err)
	return b
}
