// Package compute holds what every engine of the gateway shares: the question
// (Query), its cost before any data is read (Cost), the plan and the answer
// (Result). Engines live in the packages below it; plain is the exact one and
// the oracle of all others.
//
// # What is protected here
//
// Nothing by itself. A Result is what the computation found, exact and
// unsuppressed, together with evidence (distinct subjects, largest
// contributions) that the release rules read. It must not leave the process
// other than through the gate, which suppresses cells, strips the evidence and
// seals what remains. Query.Validate refuses only what no table may ask at all:
// a filter, a group or a sum over the subject column.
//
// # Null values
//
// A null never matches a filter, not even "!=". A null group key is a key of its
// own, NullKey, which no text can equal. A null measure value is skipped: a sum
// and a mean run over the values that are present. A record whose subject is
// null, empty or not canonical belongs to no privacy unit, so no rule could
// protect it: it takes part in nothing and is counted in Result.Unattributed.
package compute
