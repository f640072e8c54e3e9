package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// narrow holds the state of eight lanes in registers; the schedule stays in
// memory.
type narrow struct {
	g *gen
	w reg.GPVirtual
	t [8]reg.VecPhysical
}

func (g *gen) ymm() [16]reg.VecPhysical {
	return [16]reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}
}

// rounds8 writes the compression of one block in eight lanes.
func (g *gen) rounds8() {
	g.function("rounds8", "func(state *[128]uint32, w *[256]uint32)",
		"rounds8 compresses one block in each of eight lanes: word i of lane l is at",
		"state[8*i+l] and w[8*i+l]. It overwrites w. Needs AVX2.")
	state, w := g.pointer("state"), g.pointer("w")
	y := g.ymm()
	m := &narrow{g: g, w: w, t: [8]reg.VecPhysical(y[8:])}
	for i := range 8 {
		g.VMOVDQU(at(state, 32*i), y[i])
	}
	g.rounds(m, [8]reg.VecPhysical(y[:8]), g.GP64())
	for i := range 8 {
		g.VPXOR(at(state, 32*i), y[i], y[i])
		g.VMOVDQU(y[i], at(state, 32*i))
	}
	g.VZEROUPPER()
	g.RET()
}

// word is W[j] in memory.
func (m *narrow) word(j int) operand.Mem { return at(m.w, 32*(j%16)) }

// rol rotates x left by n in place; t is lost.
func (m *narrow) rol(n int, x, t reg.VecPhysical) {
	m.g.VPSRLD(imm(32-n), x, t)
	m.g.VPSLLD(imm(n), x, x)
	m.g.VPOR(t, x, x)
}

// fold replaces x by x ^ (x <<< n) ^ (x <<< (n+8)); t and u are lost.
func (m *narrow) fold(n int, x, t, u reg.VecPhysical) {
	m.g.VPSHUFB(m.g.rol8, x, t)
	m.g.VPXOR(x, t, t)
	m.rol(n, t, u)
	m.g.VPXOR(t, x, x)
}

func (m *narrow) expand(j int) {
	g, x, t, u := m.g, m.t[0], m.t[1], m.t[2]
	g.VMOVDQU(m.word(j+13), x)
	m.rol(15, x, t)
	g.VPXOR(m.word(j), x, x)
	g.VPXOR(m.word(j+7), x, x)
	m.fold(15, x, t, u) // P1
	g.VMOVDQU(m.word(j+3), t)
	m.rol(7, t, u)
	g.VPXOR(t, x, x)
	g.VPXOR(m.word(j+10), x, x)
	g.VMOVDQU(x, m.word(j))
}

func (m *narrow) round(j int, k operand.Mem, late bool, v *[8]reg.VecPhysical) {
	g := m.g
	a, b, c, d, e, f, gg, h := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	s1, s2, w, t, u := m.t[3], m.t[4], m.t[5], m.t[6], m.t[7]
	g.VPBROADCASTD(k, s1)
	g.VPSRLD(imm(20), a, t)
	g.VPSLLD(imm(12), a, s2)
	g.VPOR(t, s2, s2) // A <<< 12
	g.VPADDD(s2, s1, s1)
	g.VPADDD(e, s1, s1) // E comes last of the three
	m.rol(7, s1, t)     // SS1
	g.VPXOR(s1, s2, s2) // SS2
	g.VMOVDQU(m.word(j), w)
	g.VPADDD(w, h, h)
	g.VPXOR(m.word(j+4), w, w) // W'
	g.VPADDD(w, d, d)
	m.logic(late, [6]reg.VecPhysical{a, b, c, e, f, gg}, t, u, w)
	g.VPADDD(t, d, d)
	g.VPADDD(u, h, h)
	g.VPADDD(s2, d, d) // TT1
	g.VPADDD(s1, h, h) // TT2
	m.rol(9, b, t)
	m.rol(19, f, u)
	m.diffuse(h, t, u, w) // P0
}

// diffuse replaces x by P0 of it: more instructions than fold, but a shorter way
// from x to its end, and every round waits for that.
func (m *narrow) diffuse(x, t, u, w reg.VecPhysical) {
	g := m.g
	g.VPSLLD(imm(9), x, t)
	g.VPSRLD(imm(23), x, u)
	g.VPSLLD(imm(17), x, w)
	g.VPXOR(t, u, t)
	g.VPSRLD(imm(15), x, u)
	g.VPXOR(x, w, x)
	g.VPXOR(t, u, t)
	g.VPXOR(t, x, x)
}

// logic computes FF in t and GG in u; x is lost.
func (m *narrow) logic(late bool, v [6]reg.VecPhysical, t, u, x reg.VecPhysical) {
	g := m.g
	a, b, c, e, f, gg := v[0], v[1], v[2], v[3], v[4], v[5]
	if !late {
		g.VPXOR(a, b, t)
		g.VPXOR(c, t, t)
		g.VPXOR(e, f, u)
		g.VPXOR(gg, u, u)
		return
	}
	g.VPXOR(a, b, t)
	g.VPXOR(b, c, x)
	g.VPAND(x, t, t)
	g.VPXOR(b, t, t) // (A & B) | (A & C) | (B & C)
	g.VPXOR(f, gg, u)
	g.VPAND(e, u, u)
	g.VPXOR(gg, u, u) // (E & F) | (^E & G)
}
