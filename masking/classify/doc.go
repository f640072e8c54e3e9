// Package classify looks at the columns of a table and says what is in them, how
// sensitive it is, and how it should be treated (数据分类分级; GB/T 43697-2024 for
// the grades, GB/T 37964 for the classes).
//
//	Classify(ctx, reader, options) -> Report: per column type, class, grade, evidence, confidence
//	Propose(report)                -> Proposal: per column a technique, its parameters, nulls
//
// Rows are drawn uniformly from the whole read (reservoir sampling), not from
// its head. Of a drawn value only what it passed is kept: a few bits, a hash, a
// length. A type is told by validators (check characters, regions, dates, ranges
// of issuers), the header, how many values differ, and how long they are; a check
// character alone passes one number in ten and is never enough. A column of
// several kinds of identifier is reported as mixed, with the highest grade.
//
// What is protected: no value, nor part of one, is in a report, a proposal, an
// error or kept after Classify returns. A header that looks itself like a person's
// number, as in a file without headers, is not repeated either.
//
// What it cannot tell, and a person must look at:
//   - semantic types (age, money, health, biometric and minors' data, WeChat, QQ,
//     accounts, single coordinates, permits of Taiwan residents) without a header:
//     numbers are only numbers;
//   - numbers that share a form: an 8-digit code and a permit, a series of order
//     numbers that begins like a card and passes Luhn, an E and 8 digits that are
//     goods; the safe reading is taken where one has a check character;
//   - numbers whose check characters are wrong in nearly all values, or that are
//     enciphered, hashed or partly covered: they pass for codes, and only a header
//     that says otherwise raises their grade (Result.Disagrees);
//   - foreign names, names in places' lists, places in names' lists; names without
//     a header where fewer than a dozen are in the sample;
//   - text in which identifiers are embedded, other than phones, resident numbers
//     and mail addresses;
//   - important and core data: they follow from catalogues of the regions and
//     sectors, not from values. A few words in headers raise a grade, and rules of
//     the operator (Options.Rules) do; the absence of a finding proves nothing;
//   - rare values: a kind of identifier that fewer than one in ten of the values
//     have is no part of the type; from one in fifty on, resident numbers, credit
//     codes and permanent resident cards raise class and grade; below that they
//     are only counted (Evidence.Others), and what stands once in millions of rows
//     is not in the sample;
//   - what several columns tell together: package risk measures that.
//
// A report is a proposal for a person to confirm, never a clearance.
package classify
