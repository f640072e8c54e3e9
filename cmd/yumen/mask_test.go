package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/run"
)

// fullPolicy has every technique that needs nothing but keys, one column each.
const fullPolicy = `masking: 1
name: full
columns:
  - {name: dropped, class: direct_identifier, grade: 3, technique: suppress, nulls: keep}
  - {name: stars, class: direct_identifier, grade: 3, technique: suppress, params: {as: "*"}, nulls: keep}
  - {name: covered, class: sensitive, grade: 3, technique: redact, nulls: keep}
  - {name: alias, class: direct_identifier, grade: 3, technique: pseudonym, key: a, nulls: keep}
  - {name: cipher, class: direct_identifier, grade: 3, technique: encrypt, key: c, nulls: keep}
  - {name: phone, class: direct_identifier, grade: 3, technique: fpe, params: {type: phone}, key: f, nulls: keep}
  - {name: born, class: quasi_identifier, grade: 2, technique: generalize, params: {to: decade}, nulls: keep}
  - {name: seen, class: sensitive, grade: 2, technique: date_shift, params: {subject: alias, range: "90"}, key: d, nulls: keep}
  - {name: income, class: sensitive, grade: 3, technique: microaggregate, params: {k: "5"}, nulls: keep}
  - {name: area, class: quasi_identifier, grade: 2, technique: generalize, params: {to: hierarchy, level: "1", table: "CANARYx;north\nCANARYy;south"}, nulls: keep}
  - {name: answer, class: sensitive, grade: 2, technique: pram, params: {categories: "yes;no", keep: "4/5"}, key: p, malformed: suppress, nulls: keep}
`

func fullTable(t *testing.T, dir string, rows int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("dropped,stars,covered,alias,cipher,phone,born,seen,income,area,answer\n")
	for i := range rows {
		fmt.Fprintf(&b, "CANARY%07d,CANARYs%d,CANARYc%d,CANARYa%d,CANARYe%d,138%08d,19%02d-07-13,2024-03-%02d,%d,CANARY%c,%s\n",
			i, i, i, i, i, i, 50+i%50, 1+i%28, 777_000_000+i, "xy"[i%2], []string{"yes", "no", "CANARYno"}[i%3])
	}
	path := filepath.Join(dir, "full.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(fullPolicy), 0o600))
	return path
}

// yumenCommand runs the command itself, in a process of its own.
func yumenCommand(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("yumen", args...)
	cmd.Dir = dir
	return cmd
}

func fullRun(more ...string) []string {
	return append([]string{"mask", "run", "policy.yaml", "full.csv", "out", "--types", "born=date,seen=date,income=int64", "--keys", "keys", "--make-keys",
		"--scenario", "s", "--recipient", "r"}, more...)
}

// Nothing of an input value of a masked column is in any file of the output, in the report, in what is
// said on the way or in the drawing, in both formats.
func TestMaskRunLeavesNoCanary(t *testing.T) {
	for _, format := range []string{"parquet", "ipc"} {
		dir := t.TempDir()
		fullTable(t, dir, 500)
		cmd := yumenCommand(dir, fullRun("--format", format)...)
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
		texts := map[string][]byte{"report": said}
		require.NoError(t, filepath.WalkDir(filepath.Join(dir, "out"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				texts[d.Name()], err = os.ReadFile(path)
			}
			return err
		}))
		require.Greater(t, len(texts), 2)
		for name, text := range texts {
			for _, canary := range []string{"CANARY", "13800000123", "1950-07-13", "777000123"} {
				require.NotContains(t, string(text), canary, name)
			}
		}
		require.NotContains(t, string(said), dir, "no path of the machine")
	}
}

// A run killed again and again goes on behind its last complete part, and ends with the bytes that one
// undisturbed run gives. Before its end nothing has the name of the output.
func TestMaskRunKilledAndResumed(t *testing.T) {
	dir := t.TempDir()
	fullTable(t, dir, 300_000)
	kills := 0
	for ; kills < 40; kills++ {
		cmd := yumenCommand(dir, fullRun("--resume", "--no-measure", "--part-rows", "40000", "--workers", "1")...)
		require.NoError(t, cmd.Start())
		parts := len(glob(t, dir, "out.partial/part-*.parquet"))
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		killed := false
		for ended := false; !ended; {
			select {
			case err := <-done:
				ended = true
				require.True(t, killed || err == nil, "%v", err)
			case <-time.After(time.Millisecond):
				if !killed && len(glob(t, dir, "out.partial/part-*.parquet")) > parts {
					_ = cmd.Process.Kill()
					killed = true
				}
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
			break
		}
		require.True(t, killed, "it ended without an output")
	}
	require.Greater(t, kills, 1, "it was never killed in mid-run")
	got, err := run.Load(filepath.Join(dir, "out"))
	require.NoError(t, err)
	require.True(t, got.Complete)
	require.EqualValues(t, 300_000, got.Rows)

	require.NoError(t, os.Rename(filepath.Join(dir, "out"), filepath.Join(dir, "killed")))
	said, err := yumenCommand(dir, fullRun("--no-measure", "--part-rows", "40000", "--workers", "1")...).Output()
	require.NoError(t, err)
	want, err := run.Load(filepath.Join(dir, "out"))
	require.NoError(t, err)
	require.Equal(t, want.Parts, got.Parts)
	var report maskReport
	require.NoError(t, json.Unmarshal(said, &report))
	require.Equal(t, want.Policy, report.Policy)
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	return names
}

// A key that is not what it was ends the resumption: half a table under one key and half under another
// is none.
func TestMaskRunRefusesToResumeUnderAnotherKey(t *testing.T) {
	dir := t.TempDir()
	path := fullTable(t, dir, 20)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("x,x,x,x,x,13800000000,1950-01-01,2024-01-01,wat,CANARYx,yes\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Error(t, yumenCommand(dir, fullRun()...).Run(), "the last row is malformed")
	require.DirExists(t, filepath.Join(dir, "out.partial"))
	for _, key := range glob(t, dir, "keys/*.maskkey") {
		require.NoError(t, os.Remove(key))
	}
	said, err := yumenCommand(dir, fullRun("--resume")...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "another run")
	require.NoDirExists(t, filepath.Join(dir, "out"))
}

// A disk that takes no more is a clear error, and no partial file is taken for a whole one.
func TestMaskRunOnAFullDisk(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash: the size of files cannot be bounded")
	}
	dir := t.TempDir()
	fullTable(t, dir, 60_000)
	args := fullRun("--no-measure", "--workers", "1")
	cmd := exec.Command("bash", append([]string{"-c", `trap "" XFSZ; ulimit -f 64; exec yumen "$@"`, "yumen"}, args...)...)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "mask run")
	require.Contains(t, string(said), "--resume")
	require.NoDirExists(t, filepath.Join(dir, "out"))
	said, err = yumenCommand(dir, append(args, "--resume")...).CombinedOutput()
	require.NoError(t, err, "%s", said)
	got, err := run.Load(filepath.Join(dir, "out"))
	require.NoError(t, err)
	require.EqualValues(t, 60_000, got.Rows)
}

func TestMaskKeysDifferByRecipientScenarioNameAndPurpose(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	seen := map[string]bool{}
	for _, c := range [][4]string{{"s", "a", "k", "fpe"}, {"s", "b", "k", "fpe"}, {"s2", "a", "k", "fpe"}, {"s", "a", "k2", "fpe"}, {"s", "a", "k", "encrypt"}, {"sa", "x", "k", "fpe"}} {
		k := &maskKeys{dir: dir, scenario: c[0], recipient: c[1], make: true, used: map[string][32]byte{}}
		key, err := k.Key(c[3], c[2])
		require.NoError(t, err)
		require.False(t, seen[string(key)], c)
		seen[string(key)] = true
		again, err := k.Key(c[3], c[2])
		require.NoError(t, err)
		require.Equal(t, key, again)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", k, k, k), fmt.Sprintf("%x", key))
	}
	a := &maskKeys{dir: dir, scenario: "s", recipient: "a", make: true, used: map[string][32]byte{}}
	b := &maskKeys{dir: dir, scenario: "t", recipient: "b", make: true, used: map[string][32]byte{}}
	one, err := a.Key(masking.PurposeSample, "lineage")
	require.NoError(t, err)
	two, err := b.Key(masking.PurposeSample, "lineage")
	require.NoError(t, err)
	require.Equal(t, one, two, "samples hold the same persons for everybody")

	names := glob(t, dir, "*.maskkey")
	require.Len(t, names, 6)
	require.NoError(t, os.Chmod(names[0], 0o644))
	failed := 0
	for _, c := range [][3]string{{"s", "a", "k"}, {"s", "b", "k"}, {"s2", "a", "k"}, {"s", "a", "k2"}, {"sa", "x", "k"}, {"", "", "lineage"}} {
		k := &maskKeys{dir: dir, scenario: c[0], recipient: c[1], used: map[string][32]byte{}}
		purpose := "fpe"
		if c[0] == "" {
			purpose = masking.PurposeSample
		}
		if _, err := k.Key(purpose, c[2]); err != nil {
			require.ErrorContains(t, err, "readable by others")
			failed++
		}
	}
	require.Equal(t, 1, failed)
}

func TestTreeSumTellsContentsApart(t *testing.T) {
	dir := t.TempDir()
	seen := map[[32]byte]bool{}
	for i, text := range [][]byte{nil, {0}, bytes.Repeat([]byte{1}, treeChunk), bytes.Repeat([]byte{1}, treeChunk+1), bytes.Repeat([]byte{1}, 2*treeChunk)} {
		path := filepath.Join(dir, fmt.Sprint(i))
		require.NoError(t, os.WriteFile(path, text, 0o600))
		sum, err := treeSum(context.Background(), path)
		require.NoError(t, err)
		require.False(t, seen[[32]byte(sum)])
		seen[[32]byte(sum)] = true
	}
}
