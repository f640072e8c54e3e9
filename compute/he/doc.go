// Package he computes on columns that it cannot read. A provider encrypts
// batches of whole numbers under a key whose secret no single holder has; the
// gateway adds and multiplies what it was sent; the holders open one approved
// scalar. This package holds the checked parameters, the strict codecs, the
// encryption, the accumulation and the extraction of one scalar; the sharing of
// the secret, the ceremony and the planning live in the packages below it.
//
// The scheme is exact ring learning with errors in the ring Z_Q[X]/(X^N+1)
// with the plaintext in the high bits (the form of Brakerski 2012/Fan and
// Vercauteren 2012, equal to BGV up to the scale T): a ciphertext (c0, c1)
// has the phase
//
//	c0 + c1*s = T^-1 * m + e   mod Q
//
// and T*phase = m + T*e, from which m mod T follows while |T*e| < Q/2. A signed
// number is encoded by its residues modulo two 36-bit primes T, one ciphertext
// (limb) each under the same key: T enters encoding only. Each limb draws its
// own randomness: with a shared u the difference of the limbs' c0 would be
// T1^-1*m1 - T2^-1*m2 plus a small error, in clear.
//
//	values --Encryptor--> Leaf --Accumulator--> Sum --Extract--> Opening (LWE)
//	                       |                     ^
//	                       +--Product, RelinKey--+
//
// Protected: the values, against anyone who does not hold a sufficient set of
// components, for as long as ring-LWE with these parameters is hard (128 bits
// classical, eprint 2024/463), and the coefficients that were not approved:
// one scalar's LWE sample is opened, never a ciphertext. Not protected: the
// number of batches, the declared rows, who sent what and when; a provider's
// own false values; anything against timing on the provider's own machine
// (sampling is not constant-time). The extraction of LWE samples from ring
// ciphertexts and their threshold opening need a cryptographer's review.
//
// No byte from outside ever reaches the decoders of the lattice library: all
// codecs are strict, of fixed size, and accept one form only.
package he
