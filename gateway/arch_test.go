// Package gateway_test holds the import law: which room may know which. The
// law is a table of direct imports, rules on everything a room reaches, and
// rules on the shape of the tree. It reads the whole module with `go list`.
package gateway_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/yumen-project/yumen"

// pkg is one package as the law sees it. Paths inside the module are written
// relative to it ("gateway/audit"); others are whole.
type pkg struct {
	imports     []string
	testImports []string
}

// graph holds every package of the module and all they reach.
type graph map[string]*pkg

// ours reports whether a path lies in the module.
func ours(path string) bool {
	top, _, _ := strings.Cut(path, "/")
	return slices.Contains([]string{"cmd", "connectors", "masking", "compute", "gateway", "benchmarks"}, top)
}

// load asks the go command for the packages matched and all they import.
func load(t *testing.T, goos, goarch string, patterns ...string) graph {
	t.Helper()
	args := append([]string{"list", "-deps", "-json=ImportPath,Imports,TestImports,XTestImports"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	g := graph{}
	for dec := json.NewDecoder(out); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		g[inside(p.ImportPath)] = &pkg{
			imports:     insideAll(p.Imports),
			testImports: insideAll(append(p.TestImports, p.XTestImports...)),
		}
	}
	require.NoError(t, cmd.Wait())
	return g
}

func inside(path string) string { return strings.TrimPrefix(path, module+"/") }

func insideAll(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = inside(p)
	}
	return out
}

func TestImportLaw(t *testing.T) {
	g := load(t, "linux", "amd64", "./...")
	require.Contains(t, g, "gateway/audit", "the module was not read")
	assert.Empty(t, direct(g), "direct imports")
	assert.Empty(t, reached(g), "reached imports")
	assert.Empty(t, tests(g), "imports of tests")
	assert.Empty(t, cycles(g), "rooms in a circle")
}

// The offline verifier is built for more systems, and there too it must not
// hold a line that could speak to a network.
func TestVerifierStaysOffline(t *testing.T) {
	for _, system := range []string{"linux/amd64", "linux/arm64", "windows/amd64"} {
		goos, goarch, _ := strings.Cut(system, "/")
		g := load(t, goos, goarch, "./cmd/yumen-verify")
		require.Contains(t, g, "cmd/yumen-verify")
		require.Empty(t, reached(g), system)
	}
}

func TestTree(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	require.Empty(t, tree(os.DirFS(root)))
}

func TestSource(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	require.Empty(t, source(os.DirFS(root)))
}
