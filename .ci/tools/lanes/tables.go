package main

import (
	"math/bits"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// gen writes the functions. All registers are named here and none allocated:
// the rounds rename them from step to step.
type gen struct {
	*build.Context
	constants operand.Mem // the 64 round constants, rotated
	swap      operand.Mem // VPSHUFB: reverse the bytes of each word
	rol8      operand.Mem // VPSHUFB: rotate each word left by 8
}

// tables writes the read-only data.
func (g *gen) tables() {
	g.constants = g.StaticGlobal("constants")
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for j := range 64 {
		t := uint32(0x79cc4519)
		if j >= 16 {
			t = 0x7a879d8a
		}
		g.AddDatum(4*j, operand.U32(bits.RotateLeft32(t, j)))
	}
	g.swap = g.shuffle("swapBytes", 0x00010203)
	g.rol8 = g.shuffle("rotateByte", 0x02010003)
}

// shuffle is a table for VPSHUFB that treats each of eight words alike.
func (g *gen) shuffle(name string, word uint32) operand.Mem {
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range uint32(8) {
		at := i % 4 * 4
		g.AddDatum(int(4*i), operand.U32(word+at*0x01010101))
	}
	return m
}

// function opens a function without a frame.
func (g *gen) function(name, signature string, doc ...string) {
	g.Function(name)
	g.Attributes(attr.NOSPLIT | attr.NOFRAME)
	g.Pragma("noescape")
	g.SignatureExpr(signature)
	g.Doc(doc...)
}

// pointer loads an argument.
func (g *gen) pointer(name string) reg.GPVirtual {
	r := g.GP64()
	g.Load(g.Param(name), r)
	return r
}

// at is memory at a distance from a pointer.
func at(base reg.Register, disp int) operand.Mem {
	return operand.Mem{Base: base, Disp: disp}
}

func imm(n int) operand.Op { return operand.U8(uint8(n)) }
