package rankswap

// tally counts what is left of the ranks 0 to n-1: a binary indexed tree
// (Fenwick 1994), every operation in log n steps.
type tally struct {
	sum  []int32 // 1-based
	gone []bool
	top  int // the highest power of two not above n
}

func newTally(n int) *tally {
	t := &tally{sum: make([]int32, n+1), gone: make([]bool, n), top: 1}
	for t.top*2 <= n {
		t.top *= 2
	}
	for i := 1; i <= n; i++ {
		t.sum[i] = int32(i & -i)
	}
	return t
}

func (t *tally) has(i int) bool { return !t.gone[i] }

func (t *tally) remove(i int) {
	t.gone[i] = true
	for i++; i < len(t.sum); i += i & -i {
		t.sum[i]--
	}
}

// below counts what is left of the ranks below i.
func (t *tally) below(i int) int {
	n := 0
	for ; i > 0; i &= i - 1 {
		n += int(t.sum[i])
	}
	return n
}

// find gives the rank that has k left below it.
func (t *tally) find(k int) int {
	at := 0
	for step := t.top; step > 0; step /= 2 {
		if next := at + step; next < len(t.sum) && int(t.sum[next]) <= k {
			at = next
			k -= int(t.sum[next])
		}
	}
	return at
}
