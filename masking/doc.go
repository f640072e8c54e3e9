// Package masking turns a policy into a Masker and record batches into masked
// batches (脱敏, de-identification; classes of technique as in ISO/IEC 20889).
//
//	policy YAML -> ParsePolicy -> Check(schema), every fault at once
//	                           -> CompileWith(schema, keys, noise) -> Masker
//	Masker -> NewReader         one batch after the other
//	       -> NewParallelReader several at once, in order, within a bound of bytes
//	       -> run.Run           a whole table into files, resumable after a kill
//
// A policy names every column of the schema with class, grade, technique and
// what becomes of nulls. Keyed techniques name a key, which a KeySource hands
// out by technique and name: give each recipient and scenario keys of its own.
// Describe lists the techniques with what each does not protect. A sample keeps
// the records of some subjects, the same ones in every job of one lineage key;
// all other records are dropped before anything is masked.
//
// What is protected: an unnamed or ungraded column, an unknown parameter, a
// type that a technique cannot treat, a direct identifier that would show more
// than the design allows: nothing is compiled then. A masked batch owns fresh
// buffers; no byte of a masked value stays in a buffer, in a dictionary, under
// a null, beyond a slice or in schema metadata (all metadata is dropped).
// Errors name column and row, never a value.
//
// What is not protected: what a technique lets through by design (the kept
// characters, the generalised interval), columns that are kept, the order of
// rows, and what combinations of columns single out: package risk measures
// that on the result. Masking is never anonymisation.
//
// How batches are cut does not show in the result of techniques that treat a
// row by itself or by its place in the read (PRAM). Those that look at the rows
// around (Description.Placed) work in windows of the read, which a batch that
// ends within one cuts short; perturb draws anew in every run. Under a sample,
// places are counted in the read before sampling, by batch.
//
// A technique is a leaf package with a checked constructor that returns a
// kernel.Kernel; techniques.go is the one place that knows them all.
package masking
