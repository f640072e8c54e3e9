package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/benchmarks/scenario"
)

// TestMain lets the test program be the servers that a measurement starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		main()
		return
	}
	os.Exit(m.Run())
}

func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(testWriter{t})
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(p))
	return len(p), nil
}

func verify(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out, err := execute(t, append([]string{"verify", "--persons", "2000", "--duration", "300ms", "--json"}, args...)...)
	require.NoError(t, err)
	var one map[string]any
	d := json.NewDecoder(bytes.NewBufferString(out))
	require.NoError(t, d.Decode(&one))
	require.ErrorIs(t, d.Decode(new(any)), io.EOF, "one object")
	for _, key := range []string{"rate", "p50_ms", "p99_ms", "server_cpu_us_per_call", "build_seconds", "answers_checked", "receipts_verified"} {
		require.Positive(t, one[key], key)
	}
	return one
}

func TestClosedLoopBesideABareServer(t *testing.T) {
	one := verify(t, "--rounds", "2", "--concurrency", "8")
	require.Equal(t, "closed", one["mode"])
	require.Positive(t, one["bare_rate"])
	require.InDelta(t, one["rate"].(float64)/one["bare_rate"].(float64), one["ratio"], 1e-9)
	require.Len(t, one["rounds"], 2)
	require.Len(t, one["bare_rounds"], 2)
	for _, key := range []string{"persons", "concurrency", "connections", "cores"} {
		require.Positive(t, one[key], key)
	}
	require.NotEmpty(t, one["cpu"])
	require.NotEmpty(t, one["go"])
}

func TestIdentityMatch(t *testing.T) {
	require.Equal(t, "same-person", verify(t, "--rounds", "1", "--template", scenario.SamePerson)["template"])
}

func TestOpenLoopGoesOnWhileTheIndexIsSwapped(t *testing.T) {
	one := verify(t, "--rounds", "2", "--rate", "200", "--swap")
	require.Equal(t, "open", one["mode"])
	require.Positive(t, one["swap_seconds"])
	for _, r := range one["rounds"].([]any) {
		require.Contains(t, r, "swap")
	}
}

func TestBatches(t *testing.T) {
	one := verify(t, "--rounds", "1", "--batch", "50")
	require.Equal(t, "batch", one["mode"])
	require.NotContains(t, one, "bare_rate")
	require.EqualValues(t, 4, one["concurrency"])
}

func TestCityIsKeptAndProfilesAreWritten(t *testing.T) {
	dir, remove, err := temporary()
	require.NoError(t, err)
	defer func() { require.NoError(t, remove()) }()
	cpu, mem := filepath.Join(dir, "cpu.prof"), filepath.Join(dir, "mem.prof")
	out, err := execute(t, "verify", "--persons", "2000", "--duration", "200ms", "--rounds", "1", "--dir", dir, "--cpuprofile", cpu, "--memprofile", mem)
	require.NoError(t, err)
	require.Contains(t, out, "ratio")
	for _, file := range []string{cpu, mem, filepath.Join(dir, "city-2000-1", "household.parquet")} {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Positive(t, info.Size())
	}
	left, err := filepath.Glob(filepath.Join(dir, "gateway-*"))
	require.NoError(t, err)
	require.Empty(t, left, "keys and log are removed")
}

func TestGenerateGivesTheSameBytesAgain(t *testing.T) {
	for _, format := range []string{"parquet", "csv"} {
		dir := t.TempDir()
		files := make([]string, 2)
		for i := range files {
			out := filepath.Join(dir, fmt.Sprint(i))
			_, err := execute(t, "generate", "--persons", "500", "--seed", "7", "--format", format, "--out", out)
			require.NoError(t, err)
			b, err := os.ReadFile(filepath.Join(out, "household."+format))
			require.NoError(t, err)
			files[i] = string(b)
		}
		require.NotEmpty(t, files[0])
		require.Equal(t, files[0], files[1])
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"verify", "extra"},
		{"verify", "--persons", "10"},
		{"verify", "--concurrency", "0"},
		{"verify", "--connections", "0"},
		{"verify", "--rounds", "0"},
		{"verify", "--duration", "1ms"},
		{"verify", "--rate", "-1"},
		{"verify", "--rate", "NaN"},
		{"verify", "--batch", "-1"},
		{"verify", "--batch", "100001"},
		{"verify", "--batch", "5", "--rate", "5"},
		{"verify", "--swap"},
		{"verify", "--template", "other"},
		{"verify", "--unknown"},
		{"generate", "--persons", "500"},
		{"generate", "--persons", "500", "--out", "x", "--format", "xml"},
		{"generate", "--persons", "0", "--out", "x"},
		{"child", "other"},
	} {
		_, err := execute(t, args...)
		require.Error(t, err, args)
		require.Equal(t, 2, exitCode(err), args)
	}
	require.Equal(t, 1, exitCode(errors.New("other")))
}

func TestChildThatCannotStartIsReported(t *testing.T) {
	p, err := startChild(t.Context(), testWriter{t}, "bare", "--gateway", t.TempDir())
	require.Error(t, err)
	require.Nil(t, p)
}
