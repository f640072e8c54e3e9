package compute

import (
	"math/big"
	"slices"
	"strings"
)

// NullKey is the group key of a null. No text key equals it: a text that begins
// with a zero byte is written with one more zero byte in front.
const NullKey = "\x00null"

// MeanDigits is the least number of fraction digits of a mean; a field with a
// larger scale has its scale.
const MeanDigits = 6

// TextKey writes a text as a group key.
func TextKey(text string) string {
	if strings.HasPrefix(text, "\x00") {
		return "\x00" + text
	}
	return text
}

// KeyText reads a group key back: its text, and whether it stands for a null.
func KeyText(key string) (text string, null bool) {
	if key == NullKey {
		return "", true
	}
	if strings.HasPrefix(key, "\x00") {
		return key[1:], false
	}
	return key, false
}

// Value is one exact figure. Text is a decimal without exponent or grouping:
// counts and sums in full, a sum with the fraction digits of its field's scale;
// a mean rounded half to even at max(MeanDigits, scale) fraction digits. A mean
// over no value has no Text. A sum over no value is zero.
//
// Numerator and Denominator are set for means alone: the exact sum and the
// number of values it runs over. EVIDENCE: they never leave.
type Value struct {
	Text        string
	Numerator   string
	Denominator string
}

// Share tells how a measure of a cell spreads over its subjects, in absolute
// values, as the dominance rules ask. EVIDENCE: it never leaves.
//
// Subjects is the number of distinct subjects with at least one non-null value:
// a cell of many subjects may have a sum over one of them. A subject contributes
// the sum of the absolute values of its records; Largest and Second are the two
// largest contributions (zero where there is none), Total is the sum of all.
// Sums and means count in units of the field's last fraction digit, count in
// records, subjects in subjects. The integers are never nil and are not shared.
type Share struct {
	Subjects int64
	Total    *big.Int
	Largest  *big.Int
	Second   *big.Int
}

// Cell is one group. Keys follow Result.GroupBy, Values and TopShares follow
// Result.Measures.
type Cell struct {
	Keys      []string
	Values    []Value
	Subjects  int64 // distinct subjects. EVIDENCE: never leaves
	Records   int64 // EVIDENCE unless a count was asked
	TopShares []Share
}

// Result is the exact table, before the gate. Cells are sorted by keys, byte by
// byte, and do not depend on the order of records or batches. A query without
// groups has exactly one cell, also over nothing; one with groups has a cell for
// each combination that occurs after the filters.
//
// A subject with records in two cells counts in both, so Subjects minus a cell's
// Subjects is a lower bound of the distinct subjects in its complement.
type Result struct {
	GroupBy  []string
	Measures []Measure
	Cells    []Cell
	// Subjects are the distinct subjects of the filtered set, UniverseSubjects
	// those before the filters.
	Subjects         int64
	UniverseSubjects int64
	// Rows are the records of all cells, UniverseRows the records read.
	Rows         int64
	UniverseRows int64
	// Unattributed are the records read that belong to no subject and were left
	// out of everything else.
	Unattributed int64
}

// SortCells puts cells into the order of Result.
func SortCells(cells []Cell) {
	slices.SortFunc(cells, func(a, b Cell) int { return slices.Compare(a.Keys, b.Keys) })
}
