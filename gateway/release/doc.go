// Package release is the gate: the only way out of the data domain.
//
//	Prepare -> Candidate -> Gate.Assess -> Report + Permit -> Gate.Redeem -> *Release
//
// A Candidate is sealed with its canonical bytes: what was judged is byte for byte what leaves.
// Assess runs every rule and grants a one-use Permit only if none failed. Redeem decides again under
// the policy in force at that moment, makes spend and audit durable as one frame of the log, and only
// then hands out a Release with its receipt. Any failure on the way: nothing leaves, the spend stays.
//
// Protected: no result reaches a transport without a durable entry, because transports accept only
// *Release and nothing outside this package can make one that opens.
// Not protected: what a sequence of permitted answers reveals together is bounded by registration
// and quotas, which the rules check but do not make.
package release
