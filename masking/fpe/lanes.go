package fpe

import "math/bits"

// laneCount is how many values go through the rounds together. One call of
// the cipher per round then covers as many blocks.
const laneCount = 256

// halves are the two numbers a value is split into.
type halves struct{ a, b uint64 }

// lanes collects values of one shape and takes them through the ten rounds
// together. Results go back to vals, at the row they came from.
type lanes struct {
	e     *engine
	s     *shape
	back  bool   // decipher
	limit uint64 // values at or above it go round again (cycle-walking); 0: none
	vals  []halves

	n    int
	rows [laneCount]int32
	a, b [laneCount]uint64
	hi   [laneCount]uint64
	in   words
	out  words
	buf  [laneCount * blockSize]byte
}

// push queues the value of a row. extra is XORed into the first 8 bytes of the
// last block of Q: a tweak that changes from row to row.
func (l *lanes) push(row int, extra uint64) {
	l.rows[l.n] = int32(row)
	l.a[l.n], l.b[l.n] = l.vals[row].a, l.vals[row].b
	l.hi[l.n] = l.s.hi ^ extra
	if l.n++; l.n == laneCount {
		l.run()
	}
}

// drain runs until no value is left.
func (l *lanes) drain() {
	for l.n > 0 {
		l.run()
	}
}

// run takes the values queued through the rounds. Those inside the domain are
// written back; the others stay queued.
func (l *lanes) run() {
	a, b := l.a[:l.n], l.b[:l.n]
	from, to := a, b // the half the cipher reads, and the half that changes
	if !l.back {
		from, to = b, a
	}
	l.fill(l.at(0), from)
	for r := range rounds {
		l.e.encipher(&l.out, &l.in, l.n, &l.buf)
		if l.s.d > 8 {
			l.wide(r, to)
		} else {
			l.step(r, to)
		}
		from, to = to, from
	}
	l.emit()
}

// at is the number of the round that is run as the r-th.
func (l *lanes) at(r int) int {
	if l.back {
		return rounds - 1 - r
	}
	return r
}

// round gives what round i adds to the two words of a block.
func (l *lanes) round(i int) (hi, lo uint64) {
	return l.s.round(i&(1<<8-1), 0, l.s.lo, 0)
}

// fill writes the blocks of round i.
func (l *lanes) fill(i int, x []uint64) {
	mix, lo := l.round(i)
	for j, v := range x {
		hi, lo := l.hi[j]^mix, lo^v
		l.in[0][j], l.in[1][j] = uint32(hi>>32), uint32(hi)
		l.in[2][j], l.in[3][j] = uint32(lo>>32), uint32(lo)
	}
}

// step ends the r-th round: x becomes (x + y) mod m, or (x - y) mod m, without
// a branch on either, and the blocks become those of the next round. Here y has
// 64 bits and m at most 32, so that the first two words of a block stay.
func (l *lanes) step(r int, x []uint64) {
	half := l.at(r) & 1
	m, inv := l.s.m[half], l.s.inv[half]
	_, lo := l.round(l.at(r + 1))
	n := len(x)
	high, low := l.out[0][:n], l.out[1][:n]
	third, last := l.in[2][:n], l.in[3][:n]
	sign := uint64(0)
	if l.back {
		sign = ^uint64(0)
	}
	for j, v := range x {
		y := uint64(high[j])<<32 | uint64(low[j])
		q, _ := bits.Mul64(y, inv)
		y -= q * m
		for y >= m { // seldom, twice at most
			y -= m
		}
		// Deciphering adds m - y: a number from 1 to m.
		y = (y ^ sign) - sign + m&sign
		v += y - m
		v += m & uint64(int64(v)>>63)
		x[j] = v
		v ^= lo
		third[j], last[j] = uint32(v>>32), uint32(v)
	}
}

// wide is step for halves of more than 32 bits.
func (l *lanes) wide(r int, x []uint64) {
	half := l.at(r) & 1
	m := l.s.m[half]
	for j, v := range x {
		y := l.s.value(uint64(l.out[0][j])<<32|uint64(l.out[1][j]), l.out[2][j], half)
		if l.back {
			x[j] = subMod(v, y, m)
		} else {
			x[j] = addMod(v, y, m)
		}
	}
	l.fill(l.at(r+1), x)
}

// emit writes finished values back and moves the others to the front. The
// halves have changed places an even number of times.
func (l *lanes) emit() {
	left := 0
	for j := range l.n {
		if l.limit != 0 && l.a[j]*l.s.m[1]+l.b[j] >= l.limit {
			l.rows[left], l.hi[left] = l.rows[j], l.hi[j]
			l.a[left], l.b[left] = l.a[j], l.b[j]
			left++
			continue
		}
		l.vals[l.rows[j]] = halves{l.a[j], l.b[j]}
	}
	l.n = left
}
