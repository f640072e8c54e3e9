// Package file reads one CSV or Parquet file as a connectors.Source.
//
// CSV is RFC 4180, strictly: a quoted cell may hold separators, line breaks and
// doubled quotes; a quote inside an unquoted cell, a lone carriage return, a NUL,
// invalid UTF-8, a wrong number of fields, a quote left open and a blank line
// (where more than one field is declared) are refused. Lines end in LF or CRLF; a
// byte order mark is skipped; a final line end is optional. Cells are not
// trimmed; header cells are trimmed of spaces. A null token counts in an
// unquoted cell; in a quoted cell it counts too, except that a quoted cell of a
// string column is always a value.
//
// Parquet is flat columns in the encodings PLAIN and dictionary, uncompressed or
// in Snappy, Zstd or Gzip. Footer and page headers are checked by this package
// before the library sees them: sizes, counts and offsets must agree with each
// other and with the file. Nested columns, delta encodings, INT96 times and
// encrypted files are refused, and so is a stretch of rows that a dictionary
// blows up, without warning, beyond 128 MiB and eight batches. An Arrow schema stored in the file is ignored.
//
// Protected here: memory (bounded by the batch, the largest page and the largest
// cell), the process (no panic comes out), the place (regular files only, inside
// Root if one is set, and the file that was opened is the file that is read), and
// the whole (a file that is truncated, or that changes while it is read, fails).
// Not protected: bits that flip inside well-formed data are noticed only where
// the file carries page checksums.
package file
