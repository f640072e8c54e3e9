//go:build !purego

#include "textflag.h"

// One round of SM4 (GB/T 32907) on sixteen blocks, a word of each in a lane:
// x0 ^= L(S(x1 ^ x2 ^ x3 ^ rk)). S is an affine map into the field of AES, the
// inverse there, and an affine map back. rk is in Z28.
#define ROUND(x0, x1, x2, x3, t, r, s) \
	VPXORD            Z28, x1, t                  \
	VPTERNLOGD        $0x96, x2, x3, t            \
	VGF2P8AFFINEQB    $0x65, Z30, t, t            \
	VGF2P8AFFINEINVQB $0xd3, Z31, t, t            \
	VPROLD            $2, t, r                    \
	VPROLD            $10, t, s                   \
	VPXORD            t, x0, x0                   \
	VPTERNLOGD        $0x96, r, s, x0             \
	VPROLD            $18, t, r                   \
	VPROLD            $24, t, s                   \
	VPTERNLOGD        $0x96, r, s, x0

// The same round on four times sixteen blocks.
#define ROUNDS(at, a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3) \
	VPBROADCASTD at(R9), Z28              \
	ROUND(a0, a1, a2, a3, Z16, Z20, Z24)  \
	ROUND(b0, b1, b2, b3, Z17, Z21, Z25)  \
	ROUND(c0, c1, c2, c3, Z18, Z22, Z26)  \
	ROUND(d0, d1, d2, d3, Z19, Z23, Z27)

#define LOAD(at, x0, x1, x2, x3) \
	VMOVDQU32 at(SI), x0        \
	VMOVDQU32 (at+1024)(SI), x1 \
	VMOVDQU32 (at+2048)(SI), x2 \
	VMOVDQU32 (at+3072)(SI), x3

// The words of the result come out in reverse order.
#define STORE(at, x0, x1, x2, x3) \
	VMOVDQU32 x3, at(DI)        \
	VMOVDQU32 x2, (at+1024)(DI) \
	VMOVDQU32 x1, (at+2048)(DI) \
	VMOVDQU32 x0, (at+3072)(DI)

// func encryptWords(rk *[32]uint32, dst, src *words, groups int)
TEXT ·encryptWords(SB), NOSPLIT, $0-32
	MOVQ rk+0(FP), AX
	MOVQ dst+8(FP), DI
	MOVQ src+16(FP), SI
	MOVQ groups+24(FP), CX
	MOVQ $0x34ac259e022dbc52, R8
	VPBROADCASTQ R8, Z30
	MOVQ $0xd72d8e511e6c8b19, R8
	VPBROADCASTQ R8, Z31

group:
	LOAD(0, Z0, Z1, Z2, Z3)
	LOAD(64, Z4, Z5, Z6, Z7)
	LOAD(128, Z8, Z9, Z10, Z11)
	LOAD(192, Z12, Z13, Z14, Z15)
	MOVQ AX, R9
	MOVQ $8, R10

four:
	ROUNDS(0, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ROUNDS(4, Z1, Z2, Z3, Z0, Z5, Z6, Z7, Z4, Z9, Z10, Z11, Z8, Z13, Z14, Z15, Z12)
	ROUNDS(8, Z2, Z3, Z0, Z1, Z6, Z7, Z4, Z5, Z10, Z11, Z8, Z9, Z14, Z15, Z12, Z13)
	ROUNDS(12, Z3, Z0, Z1, Z2, Z7, Z4, Z5, Z6, Z11, Z8, Z9, Z10, Z15, Z12, Z13, Z14)
	ADDQ $16, R9
	DECQ R10
	JNZ  four

	STORE(0, Z0, Z1, Z2, Z3)
	STORE(64, Z4, Z5, Z6, Z7)
	STORE(128, Z8, Z9, Z10, Z11)
	STORE(192, Z12, Z13, Z14, Z15)
	ADDQ $256, SI
	ADDQ $256, DI
	DECQ CX
	JNZ  group
	VZEROUPPER
	RET
