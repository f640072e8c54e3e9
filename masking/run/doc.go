// Package run masks a whole table into files: it streams an input through a
// Masker, writes numbered parts in Parquet or Arrow IPC, and survives being
// killed at any moment.
//
//	m, err := masking.CompileWith(policy, schema, sources)
//	out, err := run.Run(ctx, m, run.Input{Open: open, Digest: digest}, run.Options{Dir: "masked"})
//
// While it works, everything lies in Dir + ".partial": parts that are complete
// and synced, the part being written under a name ending in .tmp, and
// progress.json, which says whose run it is (policy, input, output schema) and
// holds the length and SM3 of every complete part. Run again with the same
// policy and input resumes behind the last complete part; with another it is
// refused (ErrOther). At the end manifest.json is written and synced, and only
// then is the directory renamed to Dir. So a directory named Dir is a whole
// table, and whatever is not whole is not named Dir. The table is the parts of
// the manifest, in its order; OpenTable reads them back and checks each.
//
// What is protected: the files hold the masked cells and nothing else; no
// statistics, no schema metadata, no dictionaries (dictionaries are written as
// their values), no path or value in an error. What is not: the files are not
// encrypted, are readable by their owner alone, and the SM3 sums in the
// manifest are no signature: whoever can write the directory can write both.
package run
