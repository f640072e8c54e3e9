package microaggregate

import "sync"

// Measured is a kernel that knows what it has cost in accuracy.
type Measured interface {
	// Loss is over everything masked so far.
	Loss() Loss
}

// Loss is the information lost, in the squared unit of the column: of dates
// days, of timestamps their own tick, of decimals the value and not its units.
// It is a measure of utility, in floating point, and not part of any result.
// It is computed from the values as they were: who sees it learns of them.
type Loss struct {
	Cells  int64   // values replaced
	Groups int64   // groups they were put in
	Mean   float64 // of the values as they were
	Within float64 // sum of the squares of value minus what replaced it
	Total  float64 // sum of the squares of value minus Mean
}

// Ratio is Within / Total, the share of the spread that was lost: 0 when
// nothing was lost, 1 when all was. It is 0 for a column without spread.
func (l Loss) Ratio() float64 {
	if l.Total == 0 {
		return 0
	}
	return l.Within / l.Total
}

// add merges the figures of other values: Chan, Golub and LeVeque, Updating
// Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
func (l *Loss) add(o Loss) {
	if o.Cells == 0 {
		return
	}
	n := l.Cells + o.Cells
	d := o.Mean - l.Mean
	share := float64(o.Cells) / float64(n)
	l.Total += o.Total + d*d*share*float64(l.Cells)
	l.Mean += d * share
	l.Within += o.Within
	l.Groups += o.Groups
	l.Cells = n
}

// meter adds up what concurrent batches lose.
type meter struct {
	mu  sync.Mutex
	sum Loss
}

func (m *meter) add(l Loss) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.add(l)
}

// Loss implements Measured.
func (a *aggregator) Loss() Loss {
	a.loss.mu.Lock()
	defer a.loss.mu.Unlock()
	return a.loss.sum
}
