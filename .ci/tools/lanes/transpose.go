package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose turns eight registers of eight words: word i of register l becomes
// word l of the i-th register returned. The upper eight registers are lost.
func (g *gen) transpose(r, s [8]reg.VecPhysical) [8]reg.VecPhysical {
	for i := 0; i < 8; i += 2 {
		g.VPUNPCKLDQ(r[i+1], r[i], s[i])
		g.VPUNPCKHDQ(r[i+1], r[i], s[i+1])
	}
	for i := 0; i < 8; i += 4 {
		g.VPUNPCKLQDQ(s[i+2], s[i], r[i])
		g.VPUNPCKHQDQ(s[i+2], s[i], r[i+1])
		g.VPUNPCKLQDQ(s[i+3], s[i+1], r[i+2])
		g.VPUNPCKHQDQ(s[i+3], s[i+1], r[i+3])
	}
	for i := range 4 {
		g.VPERM2I128(imm(0x20), r[i+4], r[i], s[i])
		g.VPERM2I128(imm(0x31), r[i+4], r[i], s[i+4])
	}
	return s
}

// spread8 writes the way from blocks to words.
func (g *gen) spread8() {
	g.function("spread8", "func(w *uint32, blocks *byte, stride uintptr)",
		"spread8 reads eight blocks of 64 bytes, one after the other, as big-endian",
		"words: word i of block l goes to lane l of the vector at w + i*stride bytes.",
		"It writes 15*stride+32 bytes. Needs AVX2.")
	w, blocks, stride := g.pointer("w"), g.pointer("blocks"), g.pointer("stride")
	y := g.ymm()
	for half := range 2 {
		for l := range 8 {
			g.VMOVDQU(at(blocks, 64*l+32*half), y[l])
			g.VPSHUFB(g.swap, y[l], y[l])
		}
		for _, r := range g.transpose([8]reg.VecPhysical(y[:8]), [8]reg.VecPhysical(y[8:])) {
			g.VMOVDQU(r, operand.Mem{Base: w})
			g.ADDQ(stride, w)
		}
	}
	g.VZEROUPPER()
	g.RET()
}

// gather8 writes the way from words to digests.
func (g *gen) gather8() {
	g.function("gather8", "func(digests *byte, state *uint32, stride uintptr)",
		"gather8 writes eight digests of 32 bytes, one after the other: word i of",
		"digest l comes from lane l of the vector at state + i*stride bytes. It reads",
		"7*stride+32 bytes. Needs AVX2.")
	digests, state, stride := g.pointer("digests"), g.pointer("state"), g.pointer("stride")
	y := g.ymm()
	for i := range 8 {
		g.VMOVDQU(operand.Mem{Base: state}, y[i])
		g.ADDQ(stride, state)
	}
	for l, r := range g.transpose([8]reg.VecPhysical(y[:8]), [8]reg.VecPhysical(y[8:])) {
		g.VPSHUFB(g.swap, r, r)
		g.VMOVDQU(r, at(digests, 32*l))
	}
	g.VZEROUPPER()
	g.RET()
}
