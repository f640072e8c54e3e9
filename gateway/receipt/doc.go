// Package receipt makes and verifies what leaves the gate together with a
// result: the receipt (出域凭证), and the result file that the requester alone
// holds.
//
//	statement  canonical JSON: who asked, under what, what was checked
//	   |  StatementHash (SM3, own domain tag)
//	entry      the leaf of the log; it holds the statement's hash
//	   |  inclusion proof (RFC 6962 shape, SM3)
//	checkpoint the root of the log, signed once for a whole group (SM2)
//	   |  key and origin
//	trust      a file that the verifier got by another way; the statement
//	           holds the SM3 of its bytes
//
// Request and result stand in the statement only as commitments
// SM3(tag, nonce, value) with a 256-bit nonce. The nonces are in the result
// file and nowhere else, so they can be destroyed with it.
//
// Protected: any change to receipt, result file or trust file is found,
// offline and without the gateway. From receipts, log and trust file nobody
// learns a request or an answer, not even by trying them all, as long as the
// nonces come from a sound random source and stay with the result.
//
// Not protected: the statement is readable. Party, scenario, consent id,
// time, number of rows and the outcome of checks are for all who hold the
// receipt; whoever fills in a Statement must put nothing into it that depends
// on the subject or on the answer, and a consent id that was made from a
// subject's number would give that subject away. A log that its own key's
// owner has forked as a whole is found only by comparing checkpoints.
package receipt
