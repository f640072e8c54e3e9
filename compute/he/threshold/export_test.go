package threshold

// What tests outside the package may look at.
var (
	SecretForTest  = secretOf
	InnerForTest   = inner
	MaskKeyForTest = func(p *Share, c int) [32]byte { return p.parts[c].mask }
)

// MaskForTest draws a mask and gives its residues modulo q.
func MaskForTest(k, id [32]byte, n uint, q []uint64) []uint64 {
	m := uniform(k, id, n)
	out := make([]uint64, len(q))
	for i := range q {
		out[i] = m.mod(q[i])
	}
	return out
}

// WordsForTest is a mask as two's complement.
func WordsForTest(k, id [32]byte, n uint) (hi, lo uint64) {
	m := uniform(k, id, n)
	return m.hi, m.lo
}

// ErrorsForTest draws n errors.
func ErrorsForTest(k [32]byte, n int) []int8 {
	s, err := newStream(k)
	if err != nil {
		return nil
	}
	v := make([]int8, n)
	s.errors(v)
	return v
}
