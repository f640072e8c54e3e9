package fpe

import "encoding/binary"

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
	for r := range rounds {
		if i := rounds - 1 - r; l.back {
			l.fill(i, a)
			l.e.encipher(l.buf[:l.n*blockSize])
			l.minus(i, b)
		} else {
			l.fill(r, b)
			l.e.encipher(l.buf[:l.n*blockSize])
			l.plus(r, a)
		}
		a, b = b, a
	}
	l.emit()
}

// fill writes the blocks of round i.
func (l *lanes) fill(i int, x []uint64) {
	hi, buf, lo := l.hi[:len(x)], l.buf[:], l.s.lo
	mix, shift := uint64(0), uint64(i)<<(8*l.s.b&63)
	if l.s.b == 8 {
		mix, shift = uint64(i), 0
	}
	lo ^= shift
	for j, v := range x {
		block := buf[j*blockSize : j*blockSize+blockSize]
		binary.BigEndian.PutUint64(block, hi[j]^mix)
		binary.BigEndian.PutUint64(block[8:], lo^v)
	}
}

// plus is c = (A + y) mod radix^m for every lane.
func (l *lanes) plus(i int, x []uint64) {
	s, half := l.s, i&1
	m := s.m[half]
	for j, v := range x {
		x[j] = addMod(v, s.value(l.buf[j*blockSize:j*blockSize+blockSize], half), m)
	}
}

// minus is c = (B - y) mod radix^m for every lane.
func (l *lanes) minus(i int, x []uint64) {
	s, half := l.s, i&1
	m := s.m[half]
	for j, v := range x {
		x[j] = subMod(v, s.value(l.buf[j*blockSize:j*blockSize+blockSize], half), m)
	}
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
