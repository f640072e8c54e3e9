// Package dp holds the parts of differential privacy: exact samplers of integer
// noise, the arithmetic of its cost, contribution bounding by privacy unit, and
// one way from bounded aggregates to a table that may leave.
//
// # What is protected
//
// The unit is a person or an enterprise (the subject column), never a record.
// Two data sets are neighbours when one has all records of one more subject. A
// table made by Plan.Bound and Release satisfies delta-approximate rho-zCDP for
// that relation, with rho and delta as Plan.Cost states them before any record
// is read. Bounded has no other way out, and Release works once.
//
// # Noise
//
// Laplace and Gaussian draw from the discrete distributions of Canonne, Kamath
// and Steinke, "The Discrete Gaussian for Differential Privacy" (NeurIPS 2020),
// Algorithms 1 to 3, with rational parameters, in integers throughout. Every
// coin with a rational bias is decided by comparing as many random bits as the
// comparison needs, so the distribution is exact; no floating point touches a
// draw, a count or a sum. (Costs and thresholds are figures about parameters,
// not about data: they are computed with a stated margin, on the safe side.)
//
// # What is not protected
//
//   - Time. A draw is a rejection loop: how long it takes depends on the noise
//     drawn, so whoever times a draw made while he waits learns something of the
//     noise, and thereby of the data. Take draws from a Pool, which made them
//     earlier, and release on a tick. The bounding pass takes time that depends
//     on the data.
//   - Memory of the process. The random source erases what it has handed out and
//     the key it came from, as far as Go lets it: copies may remain in memory not
//     yet collected. A process that is cloned (a snapshot of the machine) repeats
//     its noise until the next Reseed.
//   - Resource limits. A table with too many groups or subjects for its limits
//     ends with an error, and that depends on the data. Limits are to be set so
//     that they are not met.
//   - Budgets. This package computes costs; that nothing is spent twice is the
//     ledger's.
package dp
