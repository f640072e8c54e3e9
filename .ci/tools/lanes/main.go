// Command lanes writes the vector assembly of masking/sm3lanes:
//
//	lanes <directory>
//
// puts lanes_amd64.s and lanes_stub_amd64.go there. The same text comes out on
// every machine.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lanes:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("want the directory of the package")
	}
	g := &gen{Context: build.NewContext()}
	g.tables()
	g.rounds8()
	g.rounds16()
	g.spread8()
	g.gather8()
	file, err := g.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return err
	}
	config := printer.Config{Name: ".ci/tools/lanes", Pkg: "sm3lanes"}
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
