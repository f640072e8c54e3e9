// Package pqwrite writes flat Parquet files straight from Arrow buffers:
// optional columns, data pages of version 1, encoding PLAIN, codec Snappy, a
// CRC-32 on every page (format: apache/parquet-format 2.10).
//
// What is protected: the file holds the cells and nothing else. There are no
// statistics, no page or column index, no dictionary, no key-value metadata and
// no Arrow schema; nothing is written for a null, and nothing outside a slice.
// What is not: the sizes of pages tell how well their values compress.
//
// Pages of a batch are made by Encode, from any number of goroutines at once;
// a Writer puts them in row groups in the order it is given them.
package pqwrite
