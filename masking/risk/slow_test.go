package risk_test

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/yumen-project/yumen/masking/risk"
)

// slow is a second implementation of everything, in text and maps, for small
// tables: rows of labels, a hierarchy as a map from value to its labels.
type slow struct {
	rows  [][]string
	trees []map[string][]string // by quasi-identifier, the first columns
}

// classes groups records whose labels at the levels are equal.
func (s *slow) classes(levels []int) map[string][]int {
	out := map[string][]int{}
	for i, row := range s.rows {
		var key []string
		for c, level := range levels {
			key = append(key, s.trees[c][row[c]][level])
		}
		k := strings.Join(key, "\x00")
		out[k] = append(out[k], i)
	}
	return out
}

func (s *slow) column(rows []int, c int) map[string]float64 {
	out := map[string]float64{}
	for _, i := range rows {
		out[s.rows[i][c]]++
	}
	return out
}

func all(n int) []int {
	var rows []int
	for i := range n {
		rows = append(rows, i)
	}
	return rows
}

func entropyOf(counts map[string]float64) float64 {
	var n, h float64
	for _, x := range counts {
		n += x
	}
	for _, x := range counts {
		h -= x / n * math.Log(x/n)
	}
	return h
}

func falling(counts map[string]float64) []float64 {
	var xs []float64
	for _, x := range counts {
		xs = append(xs, x)
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(xs)))
	return xs
}

func shares(counts map[string]float64) map[string]float64 {
	var n float64
	for _, x := range counts {
		n += x
	}
	out := map[string]float64{}
	for v, x := range counts {
		out[v] = x / n
	}
	return out
}

// transport is the earth mover's distance by definition, for any ground
// distance: the cheapest flow, found by augmenting along shortest paths in the
// network of values (Bellman and Ford), one path at a time.
func transport(p, q map[string]float64, apart func(a, b string) float64) float64 {
	var vs []string
	for v := range q {
		vs = append(vs, v)
	}
	slices.Sort(vs)
	n := len(vs)
	more, less := make([]float64, n), make([]float64, n)
	for i, v := range vs {
		d := p[v] - q[v]
		more[i], less[i] = max(d, 0), max(-d, 0)
	}
	flow := make([][]float64, n)
	for i := range flow {
		flow[i] = make([]float64, n)
	}
	var cost float64
	for {
		dist := make([]float64, 2*n)
		prev := make([]int, 2*n)
		for i := range dist {
			dist[i], prev[i] = math.Inf(1), -1
			if i < n && more[i] > 1e-12 {
				dist[i] = 0
			}
		}
		for range 2 * n {
			for i := range n {
				for j := range n {
					d := apart(vs[i], vs[j])
					if dist[i]+d < dist[n+j]-1e-15 {
						dist[n+j], prev[n+j] = dist[i]+d, i
					}
					if flow[i][j] > 1e-12 && dist[n+j]-d < dist[i]-1e-15 {
						dist[i], prev[i] = dist[n+j]-d, n+j
					}
				}
			}
		}
		end := -1
		for j := range n {
			if less[j] > 1e-12 && !math.IsInf(dist[n+j], 1) && (end < 0 || dist[n+j] < dist[n+end]) {
				end = j
			}
		}
		if end < 0 {
			return cost
		}
		amount := less[end]
		at := n + end
		for prev[at] >= 0 {
			if at < n {
				amount = min(amount, flow[at][prev[at]-n])
			}
			at = prev[at]
		}
		amount = min(amount, more[at])
		more[at] -= amount
		less[end] -= amount
		cost += amount * dist[n+end]
		for at := n + end; prev[at] >= 0; at = prev[at] {
			if at >= n {
				flow[prev[at]][at-n] += amount
			} else {
				flow[at][prev[at]-n] -= amount
			}
		}
	}
}

// satisfies judges one class by the words of the definitions.
func (s *slow) satisfies(c risk.Constraints, rows []int, at map[string]int, apart map[string]func(a, b string) float64) bool {
	if int64(len(rows)) < c.K {
		return false
	}
	for _, x := range c.Sensitive {
		counts := s.column(rows, at[x.Column])
		if len(counts) < x.Distinct {
			return false
		}
		if x.Entropy > 1 && entropyOf(counts) < math.Log(x.Entropy)-1e-9 {
			return false
		}
		if x.Recursive != nil {
			r := falling(counts)
			var tail float64
			for i := x.Recursive.L - 1; i < len(r); i++ {
				tail += r[i]
			}
			if r[0] >= x.Recursive.C*tail {
				return false
			}
		}
		if x.Closeness != nil {
			d := transport(shares(counts), shares(s.column(all(len(s.rows)), at[x.Column])), apart[x.Column])
			if d > x.Closeness.T+1e-9 {
				return false
			}
		}
	}
	return true
}

// value is a measure by its definition.
func (s *slow) value(m risk.Measure, levels []int, classes map[string][]int, kept map[string]bool) float64 {
	n := float64(len(s.rows))
	var sum, whole float64
	left, someOut := 0.0, false
	for key, rows := range classes {
		f := float64(len(rows))
		switch m {
		case risk.Discernibility:
			if kept[key] {
				sum += f * f
			} else {
				sum += f * n
			}
		case risk.DiscernibilityStar:
			sum += f * f
		case risk.AverageClass:
			if kept[key] {
				left++
			} else {
				someOut = true
			}
		default:
			for _, i := range rows {
				for c, level := range levels {
					part, most := s.cell(m, c, level, i, kept[key])
					sum += part
					whole += most
				}
			}
		}
	}
	switch m {
	case risk.AverageClass:
		if someOut {
			left++
		}
		return n / left
	case risk.Loss, risk.Height:
		return sum / n / float64(len(levels))
	case risk.Entropy:
		if whole == 0 {
			return 0
		}
		return sum / whole
	}
	return sum
}

func (s *slow) cell(m risk.Measure, c, level, row int, kept bool) (part, most float64) {
	tree, value := s.trees[c], s.rows[row][c]
	switch m {
	case risk.Loss:
		if len(tree) == 1 {
			return 0, 0
		}
		under := 0.0
		for _, labels := range tree {
			if labels[level] == tree[value][level] {
				under++
			}
		}
		if !kept {
			under = float64(len(tree))
		}
		return (under - 1) / float64(len(tree)-1), 1
	case risk.Height:
		h := float64(len(tree[value]) - 1)
		if !kept {
			return 1, 1
		}
		return float64(level) / h, 1
	default:
		var same, group float64
		for _, r := range s.rows {
			if r[c] == value {
				same++
			}
			if tree[r[c]][level] == tree[value][level] {
				group++
			}
		}
		n := float64(len(s.rows))
		if !kept {
			group = n
		}
		return math.Log2(group / same), math.Log2(n / same)
	}
}
