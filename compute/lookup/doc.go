// Package lookup answers registered verification templates about one subject
// from a sealed point index: an index that stores answers, not attributes.
//
// A Program is the list of registered predicates of one dataset. Build
// evaluates every predicate for every subject once and stores, per subject, one
// record of fixed size: a withheld mark, one bit per predicate and, where an
// identity template is registered, two keyed 16-byte digests of name and phone.
// No attribute, threshold or subject number is in the index. A subject may have
// several rows: a predicate holds if it holds for any of them, and the subject
// is withheld if any of them is. A withheld subject's record holds no outcome.
//
//	key    HMAC-SM3(version key; form, dataset, identifier kind, subject)[:16]
//	value  nonce(12) || SM4-GCM(version key; record) || tag(16)
//	AAD    key || SM3(form, dataset, version, program digest, build id)
//
// # What is protected
//
// Without the keys of its version an index tells the number of subjects and
// nothing about who is in it or what is answered. Every byte of it is
// authenticated when it is opened, and every record again when it is read: a
// changed, truncated, exchanged or foreign file is an error, never "not found".
// Once the keys of a version are destroyed the index can be read by nobody.
// Every lookup of a template does the same work whatever its answer: the same
// keyed hashes, one positioned read, one authenticated opening (of a decoy if
// the subject is absent), the same comparisons in constant time. The index has
// no Bloom filter, because a filter answers for absent subjects without the
// read that a present subject costs.
//
// # What is not protected
//
// Whoever holds the keys can enumerate subjects and read all answers. The time
// of a positioned read depends on what the block cache and the operating system
// hold, and an absent key that would sort behind the last key of a block (one
// in some forty) reads the block after it as well: both depend on the key's
// hash alone, not on the answer. Who asks what, how often, and whether
// "not found" and "withheld" may be told apart, is decided elsewhere.
package lookup
