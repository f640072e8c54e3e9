// Command lanes writes the vector assembly of masking/sm3lanes:
//
//	lanes <directory>
//
// puts lanes_amd64.s and lanes_stub_amd64.go there. The same text comes out on
// every machine.
package main

import (
	"github.com/mmcloughlin/avo/build"

	"github.com/yumen-project/yumen/.ci/tools/assembly"
)

func main() { assembly.Main("lanes", "sm3lanes", generate) }

func generate(ctx *build.Context) {
	g := &gen{Context: ctx}
	g.tables()
	g.rounds8()
	g.rounds16()
	g.spread8()
	g.gather8()
}
