package classify

import "math"

// tally counts over the sample of one column.
type tally struct {
	values   int // not null, not blank
	blank    int
	nulls    int
	distinct int
	signs    map[signs]int
	runes    float64 // mean
	tail     float64 // share of the commonest last character among distinct values
	kind     Kind
}

func (c *column) tally() *tally {
	t := &tally{signs: map[signs]int{}, kind: c.kind}
	different := make(map[uint64]struct{}, len(c.drawn))
	lasts := map[rune]int{}
	total := 0
	for _, v := range c.drawn {
		switch {
		case v.signs&sNull != 0:
			t.nulls++
			continue
		case v.signs&sBlank != 0:
			t.blank++
			continue
		}
		t.values++
		t.signs[v.signs]++
		total += int(v.runes)
		if _, ok := different[v.hash]; !ok {
			different[v.hash] = struct{}{}
			lasts[v.last]++
		}
	}
	t.distinct = len(different)
	most := 0
	for _, n := range lasts {
		most = max(most, n)
	}
	if t.values > 0 {
		t.runes = float64(total) / float64(t.values)
		t.tail = float64(most) / float64(t.distinct)
	}
	return t
}

// passed counts the values with any of the signs and none of the others.
func (t *tally) passed(any, none signs) int {
	n := 0
	for g, k := range t.signs {
		if g&any != 0 && g&none == 0 {
			n += k
		}
	}
	return n
}

// share is the part of the values with any of the signs.
func (t *tally) share(any signs) float64 {
	if t.values == 0 {
		return 0
	}
	return float64(t.passed(any, 0)) / float64(t.values)
}

// ratio of different values.
func (t *tally) ratio() float64 {
	if t.values == 0 {
		return 0
	}
	return float64(t.distinct) / float64(t.values)
}

// Conditions of specs without a header.

func spread(t *tally) bool    { return t.distinct >= 50 || t.ratio() >= 0.2 }
func different(t *tally) bool { return t.distinct >= 3 && (t.distinct >= 50 || t.ratio() >= 0.05) }
func few(t *tally) bool       { return t.distinct <= 40 || t.ratio() <= 0.4 }
func repeats(t *tally) bool   { return t.distinct <= 4000 }
func personal(t *tally) bool {
	return t.distinct >= 12 && (t.ratio() >= 0.1 || t.distinct >= 200) && t.tail <= 0.2
}

// sure is the lower end of Wilson's 95% interval for k of n.
func sure(k, n int) float64 {
	if n == 0 {
		return 0
	}
	const z = 1.96
	p, m := float64(k)/float64(n), float64(n)
	return max(0, (p+z*z/(2*m)-z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m)))/(1+z*z/m))
}
