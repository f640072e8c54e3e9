package lookup

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Set holds the current and the previous index of one dataset and changes them
// while questions run. Its zero value is empty and ready. It owns what it is
// given, and closes an index only after the last question to it has ended.
type Set struct {
	mu       sync.Mutex // guards previous and the writing of current
	current  atomic.Pointer[Index]
	previous *Index
}

// Swap makes next the current index at once and keeps the one it replaces for
// Rollback. The index that was kept until now, if any, is given up and returned:
// once its Done is closed, destroy its keys. next must be of the same dataset;
// on error it remains the caller's.
func (s *Set) Swap(next *Index) (retired *Index, err error) {
	if next == nil {
		return nil, fmt.Errorf("swap index: %w", ErrNoIndex)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.current.Load()
	if now != nil && now.Dataset() != next.Dataset() {
		return nil, fmt.Errorf("swap index: %w", ErrForeign)
	}
	if now == next || s.previous == next {
		return nil, fmt.Errorf("swap index: %w: already mounted", ErrExists)
	}
	retired = s.previous
	s.previous = now
	s.current.Store(next)
	if retired != nil {
		retired.drop()
	}
	return retired, nil
}

// Current gives the current index and keeps it open until release is called,
// which is to be called exactly once.
func (s *Set) Current() (ix *Index, release func(), err error) {
	for {
		ix := s.current.Load()
		if ix == nil {
			return nil, nil, fmt.Errorf("current index: %w", ErrNoIndex)
		}
		if ix.ref() {
			return ix, ix.release, nil
		}
		if s.current.Load() == ix {
			return nil, nil, fmt.Errorf("current index: %w", ErrClosed)
		}
	}
}

// Rollback exchanges the current index and the previous one.
func (s *Set) Rollback() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.previous == nil {
		return fmt.Errorf("roll back index: %w", ErrNoIndex)
	}
	now := s.current.Load()
	s.current.Store(s.previous)
	s.previous = now
	return nil
}

// DropPrevious gives up the previous index and returns it, or nil if there is
// none. Once its Done is closed, destroy the keys of its version.
func (s *Set) DropPrevious() *Index {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.previous
	s.previous = nil
	if old != nil {
		old.drop()
	}
	return old
}

// Close gives up both indexes and returns once their last questions have ended.
func (s *Set) Close() error {
	s.mu.Lock()
	both := []*Index{s.current.Swap(nil), s.previous}
	s.previous = nil
	s.mu.Unlock()
	var first error
	for _, ix := range both {
		if ix == nil {
			continue
		}
		if err := ix.Close(); first == nil {
			first = err
		}
	}
	return first
}
