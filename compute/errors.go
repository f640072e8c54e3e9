package compute

import "errors"

// Sentinels say what the caller can do. None of them, nor any error wrapped
// around them, carries a value of the data or a literal of the query.
var (
	// ErrQuery: the query is malformed or asks what this engine does not
	// compute. Do not retry; correct the registered table.
	ErrQuery = errors.New("query refused")
	// ErrSchema: the source lacks a field, or has it under another type than
	// the plan was made for. Do not retry; describe the source anew.
	ErrSchema = errors.New("schema does not fit")
	// ErrData: a batch breaks the rules of its own type (offsets that run
	// backwards, a date outside the calendar). Do not retry before the source
	// is repaired.
	ErrData = errors.New("data breaks its type")
	// ErrLimit: a bound on groups or memory was reached. Nothing partial is
	// returned; coarsen the table or raise the bound.
	ErrLimit = errors.New("limit reached")
)
