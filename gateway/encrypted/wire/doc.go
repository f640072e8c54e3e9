// Package wire holds the signed objects of encrypted aggregation that are of
// neither ceremony nor plan: the authority's signed proposal, a holder's approval,
// objection and answer, and the public forms of key sets and openings. Gateway,
// agents and requesters share it.
//
// Every object has one canonical form: a prefix with its version, big endian,
// length-prefixed, the signature last; parsers accept that form only and bound
// what they read. A parser verifies no signature. What is signed begins with a
// string of its own, and a hash is SM3 of what is signed, so a signature made
// anew is no new object.
//
// Protected: an approval or an answer holds for one query, plan and list of
// openings, one requester and one sealing key, and for nothing else. Not
// protected: secrecy; what is secret in an answer is sealed before it comes here.
package wire
