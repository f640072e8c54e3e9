// Package assembly is what the programmes that write vector assembly share: one
// makes functions, and they come out as lanes_amd64.s with its stubs. The same
// text comes out on every machine.
package assembly

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// Main is a whole programme: `tool <directory>` puts lanes_amd64.s and
// lanes_stub_amd64.go of package pkg there.
func Main(tool, pkg string, generate func(*build.Context)) {
	if err := run(os.Args[1:], tool, pkg, generate); err != nil {
		fmt.Fprintln(os.Stderr, tool+":", err)
		os.Exit(1)
	}
}

func run(args []string, tool, pkg string, generate func(*build.Context)) error {
	if len(args) != 1 {
		return errors.New("want the directory of the package")
	}
	ctx := build.NewContext()
	generate(ctx)
	file, err := ctx.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return err
	}
	config := printer.Config{Name: ".ci/tools/" + tool, Pkg: pkg}
	for name, p := range map[string]printer.Printer{
		"lanes_amd64.s":       printer.NewGoAsm(config),
		"lanes_stub_amd64.go": printer.NewStubs(config),
	} {
		text, err := p.Print(file)
		if err != nil {
			return fmt.Errorf("print %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(args[0], name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
