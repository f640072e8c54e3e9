package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// machine is what the rounds need of a vector unit. The letters are those of
// GB/T 32905, 5.3.3; each names a register with one word for each lane.
type machine interface {
	// expand computes W[j+16] in place of W[j], for 12 <= j+4.
	expand(j int)
	// round does step j of letters a to h: the new A is left in d, the new E in
	// h, and b and f are rotated.
	round(j int, k operand.Mem, late bool, v *[8]reg.VecPhysical)
}

// rounds writes the 64 rounds: the first 16 straight, the others as a loop of
// 16, after which letters and schedule are in their places again. The constants
// pointer k is moved.
func (g *gen) rounds(m machine, v [8]reg.VecPhysical, k reg.GPVirtual) {
	count := g.GP64()
	g.LEAQ(g.constants, k)
	for j := range 16 {
		g.step(m, j, k, false, &v)
	}
	g.MOVQ(operand.U32(3), count)
	g.Label("late")
	g.ADDQ(operand.U8(64), k)
	for j := range 16 {
		g.step(m, j, k, true, &v)
	}
	g.DECQ(count)
	g.JNZ(operand.LabelRef("late"))
}

func (g *gen) step(m machine, j int, k reg.GPVirtual, late bool, v *[8]reg.VecPhysical) {
	if late || j >= 12 {
		m.expand((j + 4) % 16) // W[j+4], which W'[j] needs
	}
	m.round(j, at(k, 4*j), late, v)
	a, b, c, d, e, f, h, i := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	*v = [8]reg.VecPhysical{d, a, b, c, i, e, f, h}
}
