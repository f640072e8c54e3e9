// Package encrypted is what requesters, key holders and providers of encrypted
// aggregates have in common on their side of the gateway: the calls, the trust file
// with the keys of all parties, the view of the log, and the requester's own part,
// from the signed query to the number.
//
//	Gateway    calls of the service Encrypted; objects are checked against the names
//	           they were asked by, so the gateway cannot hand out others
//	Parties    who has which keys, as the data authority says, got outside the gateway
//	LogView    the newest checkpoint accepted, and that each one grew out of the last
//	Requester  signs a query, follows it, verifies receipt and answers, combines
//
// Protected: whatever comes from the gateway is verified against the trust file, the
// log or its own name before it is used; a result is only given out after its
// receipt holds, the holders of each component agree bit for bit, and the number
// lies within its proven range. Not protected: against false trust files; whether
// the providers' numbers are true.
package encrypted
