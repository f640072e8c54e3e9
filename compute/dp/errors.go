package dp

import "errors"

// Sentinels say what the caller can do. Errors never carry a value of the data.
var (
	// ErrParameter: a scale, bound or cost is outside what is computed exactly.
	// Do not retry; change the registered table.
	ErrParameter = errors.New("parameter out of range")
	// ErrSpent: these aggregates have been released, or a release of them was
	// tried. Bound anew and pay anew.
	ErrSpent = errors.New("aggregates already released")
	// ErrUnknownScale: no noise of this scale is drawn. Register it first.
	ErrUnknownScale = errors.New("scale not registered")
	// ErrStopped: the pool's owner has ended. Nothing can be released.
	ErrStopped = errors.New("noise pool stopped")
	// ErrNotDisjoint: a subject may lie in two parts. Add the costs instead.
	ErrNotDisjoint = errors.New("parts not disjoint")
	// ErrOverflow: a sum of costs exceeds the range of the account. Refuse.
	ErrOverflow = errors.New("cost overflows")
)
