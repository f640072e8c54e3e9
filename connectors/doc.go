// Package connectors is where raw public data enters the domain: a Source
// describes a dataset and yields it as Arrow record batches, and does nothing
// else.
//
// What a connector promises: the schema is the one declared in the domain file
// and nothing else (drift is refused, never guessed at); memory is bounded by
// the batch, whatever the size of the dataset; the order of rows is stable; an
// error names the step, the field, the row and the rule, and never a value.
//
// What it does not promise: batches are raw data. They are not masked, and
// nothing here judges who may see them; only the gate lets anything out.
// A reader that fails has failed as a whole: see Source.Open.
package connectors
