// Package ceremony makes a key set among holders who trust neither each other nor
// the gateway that carries their messages. It is a pure state machine: messages
// in, messages out; signing, sealing and randomness are handed in.
//
//	RoundCommit       all   H(nonce), H(seed share) for each component, H(sealed payload) for each fellow
//	RoundNonce        all   nonce; privately, sealed: the seed shares of common components
//	RoundShadow       all   H(contribution) for each component to the public key (and the first
//	                        relinearisation round)
//	RoundReveal       first member of each component: the contribution
//	RoundRelin...     the same for the second relinearisation round, with multiplication
//	RoundTrial        all   answers to an encryption of a value that follows from the transcript
//	RoundSign         all   hash and signature of the certificate
//
// The common random string is the hash of all nonces; a component's seed the hash
// of all its members' shares. Nobody's choice comes after another's was seen: all
// are committed first, and contributions follow from seeds, so the last mover can
// change nothing. Members of a component hash the same contribution, or one of
// them cheats; then any honest member publishes the seed shares (the keys are
// void anyway), everyone computes the contribution and sees who lied.
//
// Every broadcast repeats the hashes of the previous round's messages, with their
// signatures attached, so a party that tells two holders two things is shown to
// all. A message's body is a function of the sender's secrets, drawn once, and of
// what it read: a holder restored from any copy of its state sends the same
// bodies again; one that drew new secrets is found out by its second commitment.
// Read means that the same inbox comes again: a holder set back to a copy that has
// forgotten what it read may be told something else. The echoes of any holder that
// was not set back show it; so does an honest member of each component, since
// contributions follow from seeds. Where neither is left (two of two, one of them
// cheating) the cheater would choose its contribution after the other's was seen:
// such a holder begins a new ceremony instead of resuming.
//
// Protected: the seeds, against the relay and against any t-1 holders; the
// certificate, which only comes to be when all holders saw the same transcript
// and every sufficient subset opened the test value. A relay that alters,
// reorders, repeats or delays messages only delays (see Machine.Rejected).
// Not protected: completion, if a holder or the relay refuses; names in the
// proposal; anything once t holders collude.
//
// A false accusation that proves nothing ends the ceremony with accuser and
// accused both named.
//
// Needs a cryptographer's review: commitments are plain SM3 of 32 random bytes;
// the trial opens one scalar whose encryption randomness is public, under full
// masks, and counts against the scalar cap.
package ceremony
