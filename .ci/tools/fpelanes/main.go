// Command fpelanes writes the vector assembly of masking/fpe:
//
//	fpelanes <directory>
//
// puts lanes_amd64.s and lanes_stub_amd64.go there. The same text comes out on
// every machine. It needs AVX-512F and GFNI.
package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/yumen-project/yumen/.ci/tools/assembly"
)

func main() { assembly.Main("fpelanes", "fpe", generate) }

func generate(ctx *build.Context) {
	g := &gen{Context: ctx}
	g.ConstraintExpr("!purego")
	g.encryptWords()
}

const (
	sets    = 4    // of sixteen blocks, worked on together
	wordRow = 1024 // bytes from a word of a block to the next word
)

// gen holds the registers of one pass over 64 blocks: word k of set j is x[j][k].
type gen struct {
	*build.Context

	x       [sets][4]reg.VecVirtual
	t, r, s [sets]reg.VecVirtual
	key     reg.VecVirtual
	in, out reg.VecVirtual
}

// encryptWords: S is an affine map into the field of AES, the inverse there, and
// an affine map back.
func (g *gen) encryptWords() {
	g.Function("encryptWords")
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr("func(rk *[32]uint32, dst, src *[4][256]uint32, groups int)")
	g.Doc("encryptWords enciphers groups times 64 blocks with SM4 (GB/T 32907): word k of block j",
		"is src[k][j]. dst and src must not overlap.")
	g.Pragma("noescape")
	keys, dst, src, groups := g.param("rk"), g.param("dst"), g.param("src"), g.param("groups")
	g.in, g.out = g.matrix(0x34ac259e022dbc52), g.matrix(0xd72d8e511e6c8b19)
	g.key = g.ZMM()
	for j := range sets {
		for k := range g.x[j] {
			g.x[j][k] = g.ZMM()
		}
		g.t[j], g.r[j], g.s[j] = g.ZMM(), g.ZMM(), g.ZMM()
	}

	g.Label("group")
	g.each(func(j, k int) { g.VMOVDQU32(at(src, 64*j+wordRow*k), g.x[j][k]) })
	key, n := g.GP64(), g.GP64()
	g.MOVQ(keys, key)
	g.MOVQ(operand.U32(8), n)
	g.Label("four")
	for k := range 4 {
		g.VPBROADCASTD(at(key, 4*k), g.key)
		for j := range sets {
			g.round(j, k)
		}
	}
	g.ADDQ(operand.Imm(16), key)
	g.DECQ(n)
	g.JNZ(operand.LabelRef("four"))
	// the words of the result come out in reverse order
	g.each(func(j, k int) { g.VMOVDQU32(g.x[j][3-k], at(dst, 64*j+wordRow*k)) })
	g.ADDQ(operand.U32(64*sets), src)
	g.ADDQ(operand.U32(64*sets), dst)
	g.DECQ(groups)
	g.JNZ(operand.LabelRef("group"))
	g.VZEROUPPER()
	g.RET()
}

// round is x0 ^= L(S(x1 ^ x2 ^ x3 ^ key)) on set j, where x0 is word k.
func (g *gen) round(j, k int) {
	x0, x1, x2, x3 := g.x[j][k], g.x[j][(k+1)%4], g.x[j][(k+2)%4], g.x[j][(k+3)%4]
	t, r, s := g.t[j], g.r[j], g.s[j]
	const xor3 = operand.U8(0x96)
	g.VPXORD(g.key, x1, t)
	g.VPTERNLOGD(xor3, x2, x3, t)
	g.VGF2P8AFFINEQB(operand.U8(0x65), g.in, t, t)
	g.VGF2P8AFFINEINVQB(operand.U8(0xd3), g.out, t, t)
	g.VPROLD(operand.U8(2), t, r)
	g.VPROLD(operand.U8(10), t, s)
	g.VPXORD(t, x0, x0)
	g.VPTERNLOGD(xor3, r, s, x0)
	g.VPROLD(operand.U8(18), t, r)
	g.VPROLD(operand.U8(24), t, s)
	g.VPTERNLOGD(xor3, r, s, x0)
}

func (g *gen) each(f func(j, k int)) {
	for j := range sets {
		for k := range 4 {
			f(j, k)
		}
	}
}

// matrix is a bit matrix of 8 by 8 in every lane of 64 bits.
func (g *gen) matrix(rows uint64) reg.VecVirtual {
	r, z := g.GP64(), g.ZMM()
	g.MOVQ(operand.U64(rows), r)
	g.VPBROADCASTQ(r, z)
	return z
}

func (g *gen) param(name string) reg.GPVirtual {
	return g.Load(g.Param(name), g.GP64()).(reg.GPVirtual)
}

func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }
