// Package sm3lanes computes SM3 (GB/T 32905-2016) and HMAC-SM3 (RFC 2104, GB/T
// 15852.2) of many short messages, several of them at once: message i of a
// batch runs in one lane of the vector registers, so that a column of numbers
// is hashed at a multiple of the speed of one call for each.
//
//	messages -> groups of equal block count -> transposed blocks -> rounds -> digests
//
// The vector code is generated (make generate) and chosen at run time: sixteen
// lanes with AVX-512, eight with AVX2. Elsewhere the messages go one by one
// through the library, with the key's two states prepared. All give the same
// digests, byte for byte.
//
// What is protected: a key prints as [key] under every verb and encoder. No
// branch and no address depends on the bytes of a key or a message.
//
// What is not protected: the lengths of the messages decide the grouping, and
// so the time. Scratch memory on the stack is not wiped. Whoever holds the key
// can compute the code of any guess.
package sm3lanes

// Size is the length of a digest and of a code, in bytes.
const Size = 32

// blockSize is the length of a block of SM3, in bytes.
const blockSize = 64
