// Package threshold shares the secret of a key set among holders and opens
// approved scalars with any t of them.
//
// The secret is the sum of ternary components, one for every set of t-1
// absentees, each known to all other holders (replicated sharing; Ito, Saito,
// Nishizeki 1987). A component is a 32-byte seed from which its members derive,
// by labelled HMAC-SM3 and SM4-CTR, the secret polynomial sigma_c, the mask key
// k_c and the errors of public contributions: all members of a component say the
// same bytes, or one of them cheats.
//
//	Opening (A, B) --> holder: <A, sigma_c> + PRF_k_c(A), for each c it knows
//	               --> requester: B + sum over c --> he.Decode
//
// An answer is a function of A and the shares alone. It depends neither on who
// else is active nor on time or state, so repetition, another set of companions
// and a restored old copy reveal nothing more.
//
// Protected: the secret and the noise of the ciphertexts, against the requester
// together with up to t-1 holders and the operator: they miss one component,
// whose mask, uniform in [-B, B], hides the noise up to the statistical distance
// derived at Bounds (the rest of the answer they can compute from the result).
// Each opened limb adds its distance; Cap bounds their number per key
// certificate. A provider who makes up ciphertexts instead of encrypting and
// colludes with a requester reads key bits out of approved openings: about 171
// scalars give all of its own key set; that is why each provider has one of its
// own, and holders count all openings. Mask keys of several sets are combined,
// so an opening over a broken set and an honest one is masked by the honest one.
//
// Exactly t answers leave most components to one speaker, who can shift a result
// unseen; see Sharing.Forgers.
//
// Not protected: against t holders together; against holders who open what was
// not approved; timing of a holder's own machine beyond what the comments say
// (secret coefficients pick no branch; rejection in sampling depends on public
// or discarded bits).
//
// Needs a cryptographer's review: opening a single LWE sample instead of a
// ciphertext; one deterministic mask per A instead of fresh smudging (a hybrid
// over the PRF and Cap's limit is meant to carry the usual argument); the
// combination of mask keys over several key sets; the two-round relinearisation
// key with errors derived from seeds and from what is multiplied; errors of the centred binomial
// distribution where the security table speaks of a rounded Gaussian.
package threshold
