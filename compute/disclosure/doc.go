// Package disclosure judges exact tables before they are registered: what do
// all tables of one data set version, taken together, tell about small groups
// of subjects, and which cells must be withheld so that they do not?
//
// # The question
//
// A table puts the units of a data set version (distinct subjects) into cells
// and shows some of them. Units that no shown figure tells apart form an atom.
// Every shown figure is a sum of atom totals, whatever is measured, as long as
// it is a sum of one number a unit: a row of a 0/1 matrix M over the atoms. What
// follows from the figures by linear algebra is exactly the row space of M. A
// table may be registered only if no non-zero row-space vector is supported on
//
//   - one atom of fewer than Least subjects,
//   - two or three atoms of fewer than Least subjects together, with any
//     coefficients: the sum is a small union, the difference compares two
//     persons, and 2a+3b can give both away over small integers, so none is
//     excused; three only within Limits.Triples, as Report.Depth tells,
//   - the symmetric difference of two shown figures when that has fewer than
//     Least subjects, in however many atoms, or, where figures over all units are
//     known, of one and the complement of the other;
//
// and if every shown cell and its complement have Least subjects.
//
// # How it is decided
//
// With secret random weights D on the atoms, G = M D M' is decomposed modulo a
// secret random 61-bit prime p, row by row; weights add up over units, so G does
// not change when later tables split atoms. Three random vectors of the kernel
// of M come from two triangular solves each. An atom follows iff its kernel
// entries are zero, a pair iff its entries are parallel, which sorting by slope
// finds in near-linear time; a triple iff two are parallel modulo the third,
// which is quadratic in the small atoms. With T tables, A atoms, rank r and k
// cells a table costs O(n) to split atoms, O(kTA) at most for intersections
// (O(TA) where cells do not overlap), k*r*r/2 products to eliminate.
//
// Each judgement checks that its kernel vectors annul every shown row, so a
// derivation that is valid modulo p is never missed. One over the rationals is
// missed only if p divides its denominator. Denominators divide a minor of M, at
// most (r+1)^((r+1)/2)/2^r at rank r, so with r = 8192 fewer than 2^10 of the
// more than 2^54 primes will do: below 2^-44 for all derivations at once, as p
// is drawn independently of the tables. (A fixed prime could be aimed at.) The
// other way, a false alarm has probability at most 3/p for each set of atoms
// compared: in all below 2^-26 for the pairs of 10^5 small atoms, and below
// 2^-21 for the triples of 10^4. It withholds a cell too many, nothing worse.
//
// # What is protected and what is not
//
// The registry protects against whoever knows all shown figures, all totals it
// is told of, and which subject is in which cell. It does not protect against
// inference from bounds (figures that are all zero or all full, small integers
// that leave one solution), knowledge of other people's values, or unions of four
// or more small atoms that are no such difference of two figures. Reconstruct measures
// what remains by attack. A pass says "passed these checks", nothing more.
//
// Which figures are one number a unit? With subjects as units, counts of distinct
// subjects, also where a subject is in several cells; and any sum if each subject
// brings the same number wherever it is counted. Counts of records and sums over
// records of subjects with several need a second registry, whose units are the
// records and whose Owners are their subjects: there, no combination of figures
// is about the records of fewer than Least subjects. Figures of the two kinds are
// judged each among their own; what both say together is not judged.
//
// Everything a Registry, Trial or Report holds is raw data or evidence. Only
// Trial.Shown may leave.
package disclosure
