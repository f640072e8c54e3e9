package masking

// Report counts over batches masked without error.
type Report struct {
	Policy     [32]byte // hash of the policy
	Rows       int64    // read
	NotSampled int64    // records outside the sample
	Dropped    int64    // records left out for a null under nulls: suppress
	Columns    []ColumnReport
}

// ColumnReport is the part of one input column. Counts are over the records of
// the sample.
type ColumnReport struct {
	Name      string
	Technique string
	Left      bool  // the column appears in the output
	Nulls     int64 // nulls met in the input
	Malformed int64 // cells suppressed as malformed
}

// Kept is the number of records in the output.
func (r *Report) Kept() int64 { return r.Rows - r.NotSampled - r.Dropped }

// Add counts o, of the same policy and schema, on top of r. A nil o adds nothing.
func (r *Report) Add(o *Report) {
	if o == nil {
		return
	}
	r.Rows += o.Rows
	r.NotSampled += o.NotSampled
	r.Dropped += o.Dropped
	for i := range min(len(r.Columns), len(o.Columns)) {
		r.Columns[i].Nulls += o.Columns[i].Nulls
		r.Columns[i].Malformed += o.Columns[i].Malformed
	}
}
