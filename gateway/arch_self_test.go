package gateway_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// The law must be able to fail: each forbidden edge is fed to it alone.
func TestLawSeesForbiddenEdges(t *testing.T) {
	edges := []struct{ from, to string }{
		{"connectors/file", "compute"},
		{"connectors/file", "masking"},
		{"connectors", "gateway/audit"},
		{"masking", "compute"},
		{"masking", "connectors"},
		{"masking/redact", "gateway/keyring"},
		{"masking/identifier", "masking/kernel"},
		{"masking/identifier", "github.com/apache/arrow/go/v17/arrow"},
		{"compute", "masking"},
		{"compute/plain", "github.com/cockroachdb/pebble/v2"},
		{"compute/plain", "github.com/tuneinsight/lattigo/v5/he"},
		{"compute/plain", "compute/lookup"},
		{"compute/lookup", "connectors"},
		{"gateway/audit", "github.com/emmansun/gmsm/sm2"},
		{"gateway/receipt", "github.com/emmansun/gmsm/sm2"},
		{"gateway/audit", "gateway/release"},
		{"gateway/ledger", "gateway/receipt"},
		{"gateway/release", "gateway/job"},
		{"gateway/release", "connectors"},
		{"gateway/rpc", "connectors"},
		{"gateway/rpc", "gateway/job"},
		{"gateway/rest", "masking"},
		{"gateway/rest", "compute"},
		{"gateway/flight", "compute"},
		{"gateway/console", "gateway/server"},
		{"gateway/job/spec", "gateway/release"},
		{"gateway/client", "gateway/server"},
		{"gateway/server", "benchmarks/city"},
		{"cmd/yumen-verify", "gateway/client"},
		{"cmd/yumen", "gateway/job"},
		{"gateway/other", "gateway/audit"},
		{"gateway/job", "example.com/unpinned"},
		{"masking/perturb", "math/rand"},
		{"compute/dp", "math/rand/v2"},
		{"compute/dp", "compute/plain"},
		{"compute/dp", "masking/identifier"},
		{"compute/disclosure", "compute/dp"},
		{"compute/disclosure", "github.com/emmansun/gmsm/sm3"},
	}
	for _, e := range edges {
		g := graph{e.from: {imports: []string{"fmt", e.to}}, e.to: {}}
		require.NotEmpty(t, direct(g), "%s -> %s", e.from, e.to)
		g[e.from].imports = nil
		if rowOf(e.from) != nil {
			require.NotContains(t, direct(g), e.from+" imports "+e.to)
		}
	}
}

func TestLawSeesForbiddenWays(t *testing.T) {
	ways := [][]string{
		{"cmd/yumen-verify", "gateway/receipt", "net/http"},
		{"cmd/yumen-verify", "gateway/receipt", "example.com/x", "net"},
		{"cmd/yumen-verify", "gateway/audit", "google.golang.org/grpc/codes"},
		{"cmd/yumen-verify", "gateway/audit", "database/sql"},
		{"gateway/server", "example.com/x", "github.com/tuneinsight/lattigo/v5/he"},
		{"gateway/job", "example.com/x", "github.com/cockroachdb/pebble/v2"},
		{"gateway/client", "gateway/receipt", "github.com/emmansun/gmsm/sm2"},
		{"masking", "example.com/x", "gateway/audit"},
		{"compute/plain", "compute", "masking/kernel"},
		{"connectors/sql", "connectors", "compute"},
		{"gateway/ledger", "gateway/audit", "gateway/api/v1"},
		{"gateway/rpc", "gateway/release", "gateway/job"},
		{"gateway/server", "gateway/job", "benchmarks/city"},
	}
	for _, way := range ways {
		g := graph{}
		for i, p := range way {
			g[p] = &pkg{}
			if i > 0 {
				g[way[i-1]].imports = []string{p}
			}
		}
		require.NotEmpty(t, reached(g), "%v", way)
		for i := range way[1:] {
			g[way[i]].imports = nil
		}
		require.Empty(t, reached(g), "%v", way)
	}
	through := graph{
		"gateway/job":                      {imports: []string{"compute/lookup"}},
		"compute/lookup":                   {imports: []string{"github.com/cockroachdb/pebble/v2"}},
		"github.com/cockroachdb/pebble/v2": {},
	}
	require.Empty(t, reached(through), "the right way in is open")
}

func TestLawSeesTestsAndCircles(t *testing.T) {
	require.NotEmpty(t, tests(graph{"compute/plain": {testImports: []string{"connectors/file"}}}))
	require.NotEmpty(t, tests(graph{"masking": {testImports: []string{"gateway/keyring"}}}))
	require.Empty(t, tests(graph{"compute/lookup": {testImports: []string{"compute", "masking/identifier"}}}))

	require.NotEmpty(t, cycles(graph{
		"gateway/release":       {imports: []string{"gateway/ledger"}},
		"gateway/ledger":        {imports: []string{"gateway/audit"}},
		"gateway/audit":         {imports: []string{"gateway/release/rules"}},
		"gateway/release/rules": {},
	}))
	require.Empty(t, cycles(graph{
		"gateway/release/rules": {imports: []string{"gateway/release"}},
		"gateway/release":       {imports: []string{"compute"}},
		"gateway/rpc":           {imports: []string{"gateway/job/spec"}},
		"gateway/job":           {imports: []string{"gateway/job/spec", "gateway/release"}},
	}))
}

func TestLawSeesTheTree(t *testing.T) {
	file := &fstest.MapFile{}
	dir := &fstest.MapFile{Mode: 0o755 | 1<<31}
	require.Empty(t, tree(fstest.MapFS{"go.mod": file, "gateway/audit/a.go": file, "bin/x/y": file, "x.prof": file}))
	for name, f := range map[string]*fstest.MapFile{
		"notes.txt": file, "tools/a.go": file, "gateway/util/a.go": file, "compute/common/a.go": file,
		"cmd/yumen/pkg/a.go": file, "gateway/model": dir, "gateway/internal/x/a.go": file,
	} {
		require.NotEmpty(t, tree(fstest.MapFS{"go.mod": file, name: f}), name)
	}
	require.Empty(t, tree(fstest.MapFS{"gateway/audit/a.go": file, "gateway/audit/internal/x/a.go": file}))
}

func TestLawSeesTheSource(t *testing.T) {
	judge := func(text string) []string {
		return source(fstest.MapFS{"gateway/x/a.go": {Data: []byte("package x\n" + text)}})
	}
	require.Empty(t, judge("func (T) init() {}\nvar a = 1 //nolint:gosec // bounded above\n"))
	require.NotEmpty(t, judge("func init() {}\n"))
	require.NotEmpty(t, judge("var a = 1 //nolint\n"))
	require.NotEmpty(t, judge("var a = 1 //nolint:gosec\n"))
	require.NotEmpty(t, judge("func (\n"), "a file that does not parse")
}
