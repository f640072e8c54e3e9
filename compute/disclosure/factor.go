package disclosure

// factor is the decomposition G = L diag(1/inv) L' modulo p of the matrix
// G[i][j] = d(row i and row j), d being a secret random measure on the units.
// Only independent rows are in it. Because d lives on units, G never changes
// when atoms split: earlier tables are eliminated once and for all.
type factor struct {
	f   field
	l   [][]uint64      // row i: its i entries left of the diagonal, which is 1
	inv []uint64        // inverse of the pivots
	v   [draws][]uint64 // L v = M z
}

func (q *factor) rank() int { return len(q.l) }

// forward solves L u = g in place.
func (q *factor) forward(g []uint64) {
	for i, row := range q.l {
		if i > 0 {
			g[i] = q.f.sub(g[i], q.f.dot(row, g))
		}
	}
}

// backward solves L' w = rhs - acc in place of rhs.
func (q *factor) backward(rhs []uint64, acc *lazy) {
	for i := len(q.l) - 1; i >= 0; i-- {
		rhs[i] = q.f.sub(rhs[i], acc.at(i))
		acc.addMul(rhs[i], q.l[i])
	}
}

// scale multiplies by the inverse pivots.
func (q *factor) scale(u []uint64) []uint64 {
	out := make([]uint64, len(u))
	for i, x := range u {
		out[i] = q.f.mul(x, q.inv[i])
	}
	return out
}

// push appends an independent row; v are its entries of L v = M z.
func (q *factor) push(l []uint64, inv uint64, v [draws]uint64) {
	q.l = append(q.l, l)
	q.inv = append(q.inv, inv)
	for i := range q.v {
		q.v[i] = append(q.v[i], v[i])
	}
}
