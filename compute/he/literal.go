package he

import "fmt"

// Literal describes parameters before any check. It is public: anyone may
// recompute the primes from it. Sizes are in bits; the primes of a size are the
// greatest ones = 1 mod 2N below 2^size, in falling order, so that the literal
// determines them.
type Literal struct {
	Name string
	LogN int
	// LogQ are the sizes of the primes of the ciphertext modulus, LogP those
	// of the auxiliary modulus of relinearisation (none: no multiplication).
	LogQ, LogP []int
	// LogT are the sizes of the plaintext primes, one limb each.
	LogT []int
}

// AddLiteral is the set for sums: N = 2^12, 105 bits of modulus, two 36-bit
// plaintext primes, that is 2^71 for the absolute value of a sum.
func AddLiteral() Literal {
	return Literal{Name: "yumen-add-1", LogN: 12, LogQ: []int{53, 52}, LogT: []int{36, 36}}
}

// MulLiteral is the set for one multiplication followed by sums: N = 2^13,
// 160 bits of ciphertext modulus and 53 bits of auxiliary modulus.
func MulLiteral() Literal {
	return Literal{Name: "yumen-mul-1", LogN: 13, LogQ: []int{54, 53, 53}, LogP: []int{53}, LogT: []int{36, 36}}
}

// InsecureTestParameters gives parameters of the shape of AddLiteral
// (multiply: of MulLiteral) in a ring of a few coefficients, where the secret
// can be computed by anyone. For tests of tests only; a linter rule forbids it
// elsewhere. The name in the parameters and so their ID say INSECURE.
func InsecureTestParameters(logN int, multiply bool) (*Parameters, error) {
	if logN < minLogN || logN > 11 {
		return nil, fmt.Errorf("%w: insecure ring degree 2^%d is not within 2^%d and 2^11", ErrParameters, logN, minLogN)
	}
	l := AddLiteral()
	if multiply {
		l = MulLiteral()
	}
	l.Name, l.LogN = "INSECURE-TEST-"+l.Name, logN
	return build(l)
}
