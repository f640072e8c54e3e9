package gateway_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// top is all that may stand beside go.mod.
var top = []string{
	"benchmarks", "cmd", "compute", "connectors", "docs", "gateway", "masking",
	"go.mod", "go.sum", "Makefile", "README.md", "README.zh-CN.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md",
	"CHANGELOG.md", ".golangci.yml", ".ci", ".gitignore", ".gitattributes",
}

// made is what git ignores: it is made by building and running.
var made = []string{".git", "bin", "demo", ".yumen"}

// vague names say nothing of what a package is for.
var vague = []string{"util", "utils", "common", "pkg", "helper", "helpers", "misc", "shared", "lib"}

// tree judges the shape of the folders.
func tree(root fs.FS) []string {
	var bad []string
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		depth := strings.Count(name, "/")
		if depth == 0 && ignored(name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if depth == 0 && !slices.Contains(top, name) {
			say("%s: not a name of the top level", name)
		}
		if !d.IsDir() {
			return nil
		}
		if slices.Contains(vague, d.Name()) {
			say("%s: a name that says nothing", name)
		}
		entries, err := fs.ReadDir(root, name)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			say("%s: an empty folder", name)
		}
		if d.Name() == "internal" && !holdsGo(root, path.Dir(name)) {
			say("%s: internal stands only inside a package", name)
		}
		return nil
	})
	if err != nil {
		say("tree: %v", err)
	}
	return bad
}

func ignored(name string) bool {
	return slices.Contains(made, name) || strings.HasSuffix(name, ".tmp") || strings.HasSuffix(name, ".prof")
}

func holdsGo(root fs.FS, dir string) bool {
	found, err := fs.Glob(root, path.Join(dir, "*.go"))
	return err == nil && len(found) > 0
}

// excused is an exception to the linter that names it and says why.
var excused = regexp.MustCompile(`^//nolint:[a-z0-9,]+ // \S.*`)

// source judges what can be read off the files: no init functions, no
// exception to the linter without a reason.
func source(root fs.FS) []string {
	var bad []string
	files := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (ignored(name) || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(file) {
			bad = append(bad, sourceOf(files, file)...)
		}
		return nil
	})
	if err != nil {
		bad = append(bad, fmt.Sprintf("source: %v", err))
	}
	return bad
}

func sourceOf(files *token.FileSet, file *ast.File) []string {
	var bad []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			bad = append(bad, fmt.Sprintf("%s: an init function", files.Position(f.Pos())))
		}
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//nolint") && !excused.MatchString(c.Text) {
				bad = append(bad, fmt.Sprintf("%s: nolint without linter or reason", files.Position(c.Pos())))
			}
		}
	}
	return bad
}
