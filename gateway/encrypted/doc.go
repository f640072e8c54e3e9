// Package encrypted is the gateway's side of encrypted aggregation: it keeps and
// relays what providers, key holders and requesters say to each other, keeps their
// ciphertexts, compiles and evaluates plans. It holds no key and sees no result.
//
//	Room      verifies and keeps what is handed in, says who may see what
//	State     what the log says: proposals, certificates, manifests, queries and
//	          what became of them; a function of the log's frames alone
//	objects   bytes of accepted objects by kind and hash
//	journal   the order of all that can be polled
//
// Every accepted object is a frame of the log, which holds its hash; the bytes lie
// in the store, written before the frame. Leaves and messages of ceremonies are no
// frames: leaves are under the manifest's roots, messages under the certificate's
// transcript. An object that the store has lost is missed by its hash when it is
// read, and whoever has it may hand it in again.
//
// Protected: nothing is kept that its sender did not sign, that does not fit the
// domain file in force, or that contradicts what was kept before; nobody is told
// of an object that does not concern it. Not protected: against t holders
// together, against false values of a provider (see compute/he/plan), and against
// a gateway that withholds: it can delay, and is found out by the log when it
// forges.
package encrypted
