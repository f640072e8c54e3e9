package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Tables of three-operand logic for VPTERNLOGD.
const (
	xor3     = 0x96
	majority = 0xe8
	choose   = 0xca
)

// wide holds state and schedule of sixteen lanes in registers.
type wide struct {
	g *gen
	w [16]reg.VecPhysical
	t [4]reg.VecPhysical
}

// rounds16 writes the compression of one block in sixteen lanes.
func (g *gen) rounds16() {
	g.function("rounds16", "func(state *[128]uint32, w *[256]uint32)",
		"rounds16 compresses one block in each of sixteen lanes: word i of lane l is at",
		"state[16*i+l] and w[16*i+l]. It leaves w as it is. Needs AVX512F.")
	state, w := g.pointer("state"), g.pointer("w")
	z := []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27}
	m := &wide{g: g, w: [16]reg.VecPhysical(z[8:24]), t: [4]reg.VecPhysical(z[24:28])}
	for i := range 8 {
		g.VMOVDQU32(at(state, 64*i), z[i])
	}
	for i := range 16 {
		g.VMOVDQU32(at(w, 64*i), m.w[i])
	}
	g.rounds(m, [8]reg.VecPhysical(z[:8]), g.GP64())
	for i := range 8 {
		g.VPXORD(at(state, 64*i), z[i], z[i])
		g.VMOVDQU32(z[i], at(state, 64*i))
	}
	g.VZEROUPPER()
	g.RET()
}

func (m *wide) expand(j int) {
	g, w := m.g, func(i int) reg.VecPhysical { return m.w[(j+i)%16] }
	x, y, z := m.t[0], m.t[1], w(0)
	g.VPROLD(imm(15), w(13), x)
	g.VPTERNLOGD(imm(xor3), w(7), x, z) // X = W[j] ^ W[j+7] ^ (W[j+13] <<< 15)
	g.VPROLD(imm(15), z, x)
	g.VPROLD(imm(23), z, y)
	g.VPTERNLOGD(imm(xor3), x, y, z) // P1(X)
	g.VPROLD(imm(7), w(3), x)
	g.VPTERNLOGD(imm(xor3), x, w(10), z)
}

func (m *wide) round(j int, k operand.Mem, late bool, v *[8]reg.VecPhysical) {
	g, w, w4 := m.g, m.w[j], m.w[(j+4)%16]
	a, b, c, d, e, f, gg, h := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	s1, s2, x, y := m.t[0], m.t[1], m.t[2], m.t[3]
	g.VPADDD_BCST(k, e, s1)
	g.VPROLD(imm(12), a, s2)
	g.VPADDD(s2, s1, s1)
	g.VPROLD(imm(7), s1, s1) // SS1
	g.VPXORD(s1, s2, s2)     // SS2

	g.VPADDD(w, h, h)
	g.VMOVDQA32(e, x)
	g.VPXORD(w, w4, y) // W'
	g.VPADDD(y, d, d)
	g.VMOVDQA32(a, y)
	if late {
		g.VPTERNLOGD(imm(choose), gg, f, x)
		g.VPTERNLOGD(imm(majority), c, b, y)
	} else {
		g.VPTERNLOGD(imm(xor3), gg, f, x)
		g.VPTERNLOGD(imm(xor3), c, b, y)
	}
	g.VPADDD(x, h, h)
	g.VPADDD(y, d, d)
	g.VPADDD(s1, h, h) // TT2
	g.VPADDD(s2, d, d) // TT1
	g.VPROLD(imm(9), b, b)
	g.VPROLD(imm(19), f, f)
	g.VPROLD(imm(9), h, x)
	g.VPROLD(imm(17), h, y)
	g.VPTERNLOGD(imm(xor3), x, y, h) // P0(TT2)
}
