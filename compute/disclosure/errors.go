package disclosure

import "errors"

// Sentinels say what the caller can do. No error carries a count of the data.
var (
	// ErrTable: the table or the universe is malformed. Do not retry; correct it.
	ErrTable = errors.New("table refused")
	// ErrLimit: a bound on atoms, rank, cells or tables was reached. Nothing was
	// registered; coarsen the table or raise the bound.
	ErrLimit = errors.New("limit reached")
	// ErrUnsafe: shown beside what is registered, the table tells something about
	// a small group. Do not register it; Suppress finds a pattern, or none exists.
	ErrUnsafe = errors.New("table tells of a small group")
	// ErrStale: another table was registered after this one was judged. Judge anew.
	ErrStale = errors.New("judged against an older registry")
	// ErrDraw: the random numbers were unlucky (below 2^-30) and prove nothing.
	// Build the registry anew with fresh randomness.
	ErrDraw = errors.New("random numbers prove nothing")
)
