// Package masking measures masking over the synthetic city's registers, the
// whole way from Parquet to Parquet.
//
// Its benchmarks report rows a second and the greatest resident memory; they
// need no network and no gateway, and write to the directory of the test.
package masking
