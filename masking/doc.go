// Package masking turns a policy into a Masker and record batches into masked
// batches (脱敏, de-identification; classes of technique as in ISO/IEC 20889).
//
//	policy YAML -> ParsePolicy -> Compile(schema) -> Masker -> NewReader -> masked batches
//
// What is protected: every column is named in the policy with class, grade,
// technique and null handling, or nothing is compiled. A masked batch owns
// fresh buffers; no byte of a masked value stays in a buffer, in a dictionary,
// under a null, beyond a slice or in schema metadata (all metadata is dropped).
// Errors name column and row, never a value.
//
// What is not protected: what a technique lets through by design (the kept
// characters, the generalised interval), columns that are kept, the order of
// rows, and what combinations of columns single out: package risk measures
// that on the result. Masking is never anonymisation.
//
// A technique is a leaf package with a checked constructor that returns a
// kernel.Kernel; techniques.go is the one place that knows them all.
package masking
