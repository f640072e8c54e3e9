package risk

import (
	"maps"
	"slices"
)

// SizeCount says how many classes have one size.
type SizeCount struct {
	Size    int64 `json:"size"`
	Classes int64 `json:"classes"`
}

// Sizes are the class sizes of a table, rising.
type Sizes []SizeCount

func sizesOf(counts []int64) Sizes {
	many := make(map[int64]int64)
	for _, n := range counts {
		if n > 0 {
			many[n]++
		}
	}
	s := make(Sizes, 0, len(many))
	for _, size := range slices.Sorted(maps.Keys(many)) {
		s = append(s, SizeCount{size, many[size]})
	}
	return s
}

// Sizes are the sizes of the classes counted.
func (c *Classes) Sizes() Sizes { return sizesOf(c.counts) }

// Records is the number of records.
func (s Sizes) Records() int64 {
	var n int64
	for _, x := range s {
		n += x.Size * x.Classes
	}
	return n
}

// Classes is the number of classes.
func (s Sizes) Classes() int64 {
	var n int64
	for _, x := range s {
		n += x.Classes
	}
	return n
}

// K is the size of the smallest class, 0 without any.
func (s Sizes) K() int64 {
	if len(s) == 0 {
		return 0
	}
	return s[0].Size
}

// Below is the number of records in classes of fewer than k.
func (s Sizes) Below(k int64) int64 {
	var n int64
	for _, x := range s {
		if x.Size < k {
			n += x.Size * x.Classes
		}
	}
	return n
}

// count is the number of classes of one size.
func (s Sizes) count(size int64) int64 {
	for _, x := range s {
		if x.Size == size {
			return x.Classes
		}
	}
	return 0
}

// Discernibility is the sum of squares of the sizes (Bayardo and Agrawal 2005).
func (s Sizes) Discernibility() float64 {
	var sum float64
	for _, x := range s {
		sum += float64(x.Size) * float64(x.Size) * float64(x.Classes)
	}
	return sum
}

// Bin is a bar of a histogram: classes of From to To records.
type Bin struct {
	From    int64 `json:"from"`
	To      int64 `json:"to"`
	Classes int64 `json:"classes"`
	Records int64 `json:"records"`
}

// Bins groups the sizes for a drawing: 1, 2, 3-4, 5-9, 10-19, 20-49, 50-99 and
// so on by 1, 2 and 5, to the largest class; empty bars in between are kept.
func (s Sizes) Bins() []Bin {
	if len(s) == 0 {
		return nil
	}
	bins := []Bin{{From: 1, To: 1}, {From: 2, To: 2}, {From: 3, To: 4}, {From: 5, To: 9}}
	for unit := int64(10); bins[len(bins)-1].To < s[len(s)-1].Size; unit *= 10 {
		bins = append(bins, Bin{From: unit, To: 2*unit - 1}, Bin{From: 2 * unit, To: 5*unit - 1}, Bin{From: 5 * unit, To: 10*unit - 1})
	}
	last, at := 0, 0
	for _, x := range s {
		for x.Size > bins[at].To {
			at++
		}
		bins[at].Classes += x.Classes
		bins[at].Records += x.Size * x.Classes
		last = at
	}
	return bins[:last+1]
}
