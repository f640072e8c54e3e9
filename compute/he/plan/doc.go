// Package plan turns a query in words into whole-number functionals over
// encrypted lanes, proves that they cannot overflow, evaluates them, and tells a
// key holder whether to help open them. Everything in it is deterministic: the
// same query, manifests and certificates give the same plan, the same plan and
// leaves the same openings, byte for byte, on every machine.
//
//	provider   Arrow --Builder--> batches --he.Encryptor--> leaves; Manifest (signed counts)
//	requester  Query -----------------------------------------------.
//	gateway    Compile(query, manifests, certificates) -> Plan -> Evaluate -> openings
//	holder     Check (recompiles), Evaluate (own copy of the leaves), compare bytes
//	requester  Finish(plan, opened numbers) -> Result
//
// An atom is (lane, section, group): a provider signs, for each, its rows, its
// distinct subjects and the shares of the two greatest. A plan names atoms only as
// a whole, so whatever is computed from any number of opened results of one
// version is a combination of whole atoms. Lanes of one column that split it in
// different ways have atoms that overlap; for these the provider signs the smallest
// cell of their common refinement too (Overlap), so that no combination across
// lanes is finer than a cell of the minimum size.
//
// Protected: single records and groups below the minimum, against requesters and
// operators who combine any number of approved plans; a requester from a wrong
// sum, since planning refuses what could overflow. Not protected: against a
// provider's own false values or counts; signed row counts (the gateway and the
// authority read them, a count query returns them); what a whole atom says about
// the people in it. Across versions only the signed number of changed subjects
// stands between two results.
package plan
