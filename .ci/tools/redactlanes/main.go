// Command redactlanes writes the vector assembly of masking/redact:
//
//	redactlanes <directory>
//
// puts lanes_amd64.s and lanes_stub_amd64.go there. The same text comes out on
// every machine. All of it needs AVX2 and nothing more.
package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/yumen-project/yumen/.ci/tools/assembly"
)

func main() { assembly.Main("redactlanes", "redact", generate) }

func generate(ctx *build.Context) {
	g := &gen{Context: ctx}
	g.stamp()
	g.rebase32()
	g.ordered32()
	g.threes96()
	g.sizes32()
	g.heads32()
	g.short32()
	for _, width := range []int{1, 2, 4} {
		g.tails32(width)
	}
}

type gen struct{ *build.Context }

func (g *gen) function(name, signature string, doc ...string) {
	g.Function(name)
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr(signature)
	g.Doc(doc...)
	g.Pragma("noescape")
}

func (g *gen) param(name string) reg.GPVirtual {
	return g.Load(g.Param(name), g.GP64()).(reg.GPVirtual)
}

// param32 is a number of 32 bits in all eight lanes.
func (g *gen) param32(name string) reg.VecVirtual {
	r := g.Load(g.Param(name), g.GP32())
	y := g.YMM()
	g.VMOVD(r, y.AsX())
	g.VPBROADCASTD(y.AsX(), y)
	return y
}

// words is a vector in memory.
func (g *gen) words(name string, w [4]uint64) operand.Mem {
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, x := range w {
		g.AddDatum(8*i, operand.U64(x))
	}
	return m
}

func (g *gen) constant(name string, w [4]uint64) reg.VecVirtual {
	y := g.YMM()
	g.VMOVDQU(g.words(name, w), y)
	return y
}

func (g *gen) zero() reg.VecVirtual {
	y := g.YMM()
	g.VPXOR(y, y, y)
	return y
}

func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }

func index(base, i reg.Register, scale uint8) operand.Mem {
	return operand.Mem{Base: base, Index: i, Scale: scale}
}

// finish gives 1 if any bit of y is set, else 0.
func (g *gen) finish(y reg.VecVirtual, result string) {
	r := g.GP32()
	g.XORL(r, r)
	g.VPTEST(y, y)
	g.SETNE(r.As8())
	g.Store(r, g.Return(result))
	g.VZEROUPPER()
	g.RET()
}

func (g *gen) stamp() {
	g.function("stamp", "func(dst, src, keep, cover *byte, vectors, period int) (high uint32)",
		"stamp writes src AND keep OR cover, where keep and cover are period vectors of 32",
		"bytes over and over, to dst: vectors in all, a multiple of period above 0. high",
		"has a bit for each lane in which a byte of src was above 0x7F.")
	dst, src, keep, cover := g.param("dst"), g.param("src"), g.param("keep"), g.param("cover")
	n, period := g.param("vectors"), g.param("period")
	seen := g.zero()
	size, i, y := g.GP64(), g.GP64(), g.YMM()
	g.MOVQ(period, size)
	g.SHLQ(operand.Imm(5), size)
	g.Label("round")
	g.XORQ(i, i)
	g.Label("vector")
	g.PREFETCHT0(operand.Mem{Base: src, Index: i, Scale: 1, Disp: ahead})
	g.VMOVDQU(index(src, i, 1), y)
	g.VPOR(y, seen, seen)
	g.VPAND(index(keep, i, 1), y, y)
	g.VPOR(index(cover, i, 1), y, y)
	g.VMOVDQU(y, index(dst, i, 1))
	g.ADDQ(operand.Imm(32), i)
	g.CMPQ(i, size)
	g.JNE(operand.LabelRef("vector"))
	g.ADDQ(size, src)
	g.ADDQ(size, dst)
	g.SUBQ(period, n)
	g.JNE(operand.LabelRef("round"))
	r := g.GP32()
	g.VPMOVMSKB(seen, r)
	g.Store(r, g.Return("high"))
	g.VZEROUPPER()
	g.RET()
}

func (g *gen) rebase32() {
	g.function("rebase32", "func(dst, src *int32, vectors int, base, width, eight int32) (odd uint32)",
		"rebase32 writes src less base to dst, eight numbers a vector, and says whether",
		"number i of them was anything but i times width; eight is 8 times width.")
	dst, src, n := g.param("dst"), g.param("src"), g.param("vectors")
	base, want, step := g.param32("base"), g.param32("width"), g.param32("eight")
	g.VPMULLD(g.words("iota", [4]uint64{1 << 32, 2 | 3<<32, 4 | 5<<32, 6 | 7<<32}), want, want)
	odd, y := g.zero(), g.YMM()
	g.Label("vector")
	g.VMOVDQU(at(src, 0), y)
	g.VPSUBD(base, y, y)
	g.VMOVDQU(y, at(dst, 0))
	g.VPXOR(want, y, y)
	g.VPOR(y, odd, odd)
	g.VPADDD(step, want, want)
	g.ADDQ(operand.Imm(32), src)
	g.ADDQ(operand.Imm(32), dst)
	g.DECQ(n)
	g.JNE(operand.LabelRef("vector"))
	g.finish(odd, "odd")
}

func (g *gen) ordered32() {
	g.function("ordered32", "func(off *int32, vectors int) (signs uint32)",
		"ordered32 looks at eight numbers a vector and the one behind them. signs is 0 if",
		"each is followed by one that is not negative and not less.")
	off, n := g.param("off"), g.param("vectors")
	seen, y, d := g.zero(), g.YMM(), g.YMM()
	g.Label("vector")
	g.VMOVDQU(at(off, 4), y)
	g.VPSUBD(at(off, 0), y, d)
	g.VPOR(y, seen, seen)
	g.VPOR(d, seen, seen)
	g.ADDQ(operand.Imm(32), off)
	g.DECQ(n)
	g.JNE(operand.LabelRef("vector"))
	r := g.GP32()
	g.VMOVMSKPS(seen, r)
	g.Store(r, g.Return("signs"))
	g.VZEROUPPER()
	g.RET()
}

// everyThird is vector v of three: lead for bytes 0, 3, 6 ..., else other.
func everyThird(v int, lead, other uint64) [4]uint64 {
	var w [4]uint64
	for i := range 32 {
		b := other
		if (32*v+i)%3 == 0 {
			b = lead
		}
		w[i/8] |= b << (8 * (i % 8))
	}
	return w
}

// ahead is how far in front memory is asked for: some 250 values of the block
// that comes next.
const ahead = 2560

func (g *gen) threes96() {
	g.function("threes96", "func(src *byte, groups int) (odd uint32)",
		"threes96 says whether groups of 96 bytes hold anything but characters of three",
		"bytes, none of them led by E0 or ED.")
	src, n := g.param("src"), g.param("groups")
	var form, want [3]reg.VecVirtual
	for v := range 3 {
		form[v] = g.constant(fmt.Sprintf("form%d", v), everyThird(v, 0xF0, 0xC0))
		want[v] = g.constant(fmt.Sprintf("want%d", v), everyThird(v, 0xE0, 0x80))
	}
	e0 := g.constant("e0", everyThird(0, 0xE0, 0xE0))
	ed := g.constant("ed", everyThird(0, 0xED, 0xED))
	odd := g.zero()
	g.Label("group")
	for v := range 3 {
		x, y, z := g.YMM(), g.YMM(), g.YMM()
		g.PREFETCHT0(at(src, ahead+32*v))
		g.VMOVDQU(at(src, 32*v), x)
		g.VPCMPEQB(e0, x, y)
		g.VPCMPEQB(ed, x, z)
		g.VPAND(form[v], x, x)
		g.VPXOR(want[v], x, x)
		g.VPOR(y, z, z)
		g.VPOR(x, odd, odd)
		g.VPOR(z, odd, odd)
	}
	g.ADDQ(operand.Imm(96), src)
	g.DECQ(n)
	g.JNE(operand.LabelRef("group"))
	g.finish(odd, "odd")
}

func (g *gen) sizes32() {
	g.function("sizes32", "func(off, out *int32, vectors int, more, least, most int32) (odd uint32)",
		"sizes32 writes the offsets of what values of three-byte characters become when",
		"each shrinks to as many bytes as it has characters and more: eight values a",
		"vector, from off[0] on; out[0] is there, out[1] and on are written. An empty value",
		"stays so. odd says that another was not of least to most characters.")
	off, out, n := g.param("off"), g.param("out"), g.param("vectors")
	more, least, most := g.param32("more"), g.param32("least"), g.param32("most")
	third := g.constant("third", [4]uint64{0xAAAAAAABAAAAAAAB, 0xAAAAAAABAAAAAAAB, 0xAAAAAAABAAAAAAAB, 0xAAAAAAABAAAAAAAB})
	pos, odd, none := g.YMM(), g.zero(), g.zero()
	x, y, empty := g.YMM(), g.YMM(), g.YMM()
	g.VPBROADCASTD(at(out, 0), pos)
	g.Label("vector")
	g.VMOVDQU(at(off, 4), x)
	g.VPSUBD(at(off, 0), x, x)
	g.VPMULLD(third, x, x)
	g.VPCMPEQD(none, x, empty)
	g.VPCMPGTD(x, least, y) // least > x
	g.VPANDN(y, empty, y)   // and x is not 0
	g.VPOR(y, odd, odd)
	g.VPCMPGTD(most, x, y) // x > most
	g.VPOR(y, odd, odd)
	g.VPANDN(more, empty, y)
	g.VPADDD(y, x, x)
	g.VPSLLDQ(operand.Imm(4), x, y) // running sums
	g.VPADDD(y, x, x)
	g.VPSLLDQ(operand.Imm(8), x, y)
	g.VPADDD(y, x, x)
	g.VPSHUFD(operand.Imm(0xFF), x, y)
	g.VPERM2I128(operand.Imm(0x08), y, y, y) // the low half's sum, in the high half
	g.VPADDD(y, x, x)
	g.VPADDD(pos, x, x)
	g.VMOVDQU(x, at(out, 4))
	g.VPSHUFD(operand.Imm(0xFF), x, pos)
	g.VPERM2I128(operand.Imm(0x11), pos, pos, pos)
	g.ADDQ(operand.Imm(32), off)
	g.ADDQ(operand.Imm(32), out)
	g.DECQ(n)
	g.JNE(operand.LabelRef("vector"))
	g.finish(odd, "odd")
}

func (g *gen) heads32() {
	g.function("heads32", "func(off, out *int32, quads int, data, dst *byte, head, word uint64)",
		"heads32 writes, for four values a round, data[off[i]:] AND head OR word to",
		"dst[out[i]:], eight bytes each.")
	off, out, n := g.param("off"), g.param("out"), g.param("quads")
	data, dst := g.param("data"), g.param("dst")
	head, word := g.param("head"), g.param("word")
	g.Label("quad")
	for i := range 4 {
		from, to := g.GP64(), g.GP64()
		g.MOVL(at(off, 4*i), from.As32())
		g.MOVL(at(out, 4*i), to.As32())
		g.MOVQ(index(data, from, 1), from)
		g.ANDQ(head, from)
		g.ORQ(word, from)
		g.MOVQ(from, index(dst, to, 1))
	}
	g.ADDQ(operand.Imm(16), off)
	g.ADDQ(operand.Imm(16), out)
	g.DECQ(n)
	g.JNE(operand.LabelRef("quad"))
	g.RET()
}

func (g *gen) short32() {
	g.function("short32", "func(off *int32, bits *byte, vectors int, least int32) (any uint32)",
		"short32 sets bit i of bits if value i, of eight a vector, is of fewer than least",
		"bytes, clears it if not, and says whether there is one.")
	off, bits, n := g.param("off"), g.param("bits"), g.param("vectors")
	least, x := g.param32("least"), g.YMM()
	found, mask := g.GP32(), g.GP32()
	g.XORL(found, found)
	g.Label("vector")
	g.VMOVDQU(at(off, 4), x)
	g.VPSUBD(at(off, 0), x, x)
	g.VPCMPGTD(x, least, x)
	g.VMOVMSKPS(x, mask)
	g.MOVB(mask.As8(), at(bits, 0))
	g.ORL(mask, found)
	g.ADDQ(operand.Imm(32), off)
	g.INCQ(bits)
	g.DECQ(n)
	g.JNE(operand.LabelRef("vector"))
	g.Store(found, g.Return("any"))
	g.VZEROUPPER()
	g.RET()
}

func (g *gen) tails32(width int) {
	g.function(fmt.Sprintf("tails%d", width), "func(off, out *int32, quads int, data, dst *byte, back int)",
		fmt.Sprintf("tails%d copies, for four values a round, %d bytes from data[off[i]-back:] to", width, width),
		"dst[out[i]-back:].")
	off, out, n := g.param("off"), g.param("out"), g.param("quads")
	data, dst, back := g.param("data"), g.param("dst"), g.param("back")
	g.SUBQ(back, data)
	g.SUBQ(back, dst)
	g.Label("quad")
	for i := range 4 {
		from, to := g.GP64(), g.GP64()
		g.MOVL(at(off, 4*i), from.As32())
		g.MOVL(at(out, 4*i), to.As32())
		src, trg := index(data, from, 1), index(dst, to, 1)
		switch width {
		case 1:
			g.MOVB(src, from.As8())
			g.MOVB(from.As8(), trg)
		case 2:
			g.MOVW(src, from.As16())
			g.MOVW(from.As16(), trg)
		default:
			g.MOVL(src, from.As32())
			g.MOVL(from.As32(), trg)
		}
	}
	g.ADDQ(operand.Imm(16), off)
	g.ADDQ(operand.Imm(16), out)
	g.DECQ(n)
	g.JNE(operand.LabelRef("quad"))
	g.RET()
}
