// Package agent is what a key holder or provider runs on its own machine (前置机). It
// dials out to one gateway and answers nobody.
//
//	ceremony   takes part in making key sets, from proposal to signed certificate
//	approve    recomputes every plan from leaves of its own, checks it, approves
//	answer     gives shares of released plans, sealed to their requester
//	provide    encrypts the columns of a source under a fully signed certificate
//
// Everything the agent knows is in one sealed book, beside it one sealed record for
// each ceremony under way. Both are written whole, synced, and in place before
// anything that follows from them is sent, so it may be killed at any moment. A copy
// of the leaves lies beside, as ciphertext, with public objects that are held against
// their names whenever they are read.
//
// Protected: shares and seeds at rest (SM4-GCM under a key of the keyring); the
// requester's result, which only shares sealed to it make; the data, since a plan is
// approved only after the log was read without a gap, the plan was compiled and
// computed again here, and every rule of plan.Check held. An old copy of the state
// says nothing that was not said: answers are functions of plan and seeds. It is
// found out, too, when the gateway shows words of this agent that the book does not
// have; they are taken up again before anything else is done.
//
// Not protected: against whoever has the machine and its keys; queries that a
// gateway hides from a holder show only as entries of the log that nothing known
// explains (see Status).
package agent
