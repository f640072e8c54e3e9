package he_test

import (
	"slices"
	"time"
)

// step is one thing measured in turn with others.
type step struct {
	name    string
	batches int
	work    func() error
	spent   []time.Duration
}

func (s *step) run() error {
	start := time.Now()
	err := s.work()
	s.spent = append(s.spent, time.Since(start))
	return err
}

// median is the nanoseconds of one batch.
func (s *step) median() float64 {
	slices.Sort(s.spent)
	return float64(s.spent[len(s.spent)/2].Nanoseconds()) / float64(s.batches)
}
