package release

import (
	"encoding/hex"
	"strconv"

	"github.com/yumen-project/yumen/gateway/receipt"
)

// Form is the shape of a result.
type Form uint8

const (
	// FormAnswer is one code for one subject.
	FormAnswer Form = 1
	// FormBatch is one code a subject under one receipt.
	FormBatch Form = 2
	// FormExactTable is a registered aggregate table.
	FormExactTable Form = 3
	// FormPrivateTable is a registered table under differential privacy.
	FormPrivateTable Form = 5
	// FormMaskedTable is a directory of the development zone; never a socket.
	FormMaskedTable Form = 4
	// FormEncrypted is a plan over ciphertexts that key holders open to the requester.
	FormEncrypted Form = 6
)

// Code is an entry of the published answer table. Every code has two digits.
type Code uint8

// The published answer table.
const (
	Yes      Code = 10
	No       Code = 11
	Match    Code = 20
	Mismatch Code = 21
	NotFound Code = 30
	Withheld Code = 40
)

// Valid says that c stands in the published table.
func (c Code) Valid() bool {
	switch c {
	case Yes, No, Match, Mismatch, NotFound, Withheld:
		return true
	}
	return false
}

// Body is the result itself: one of Answer, Batch, Table, Masked, Encrypted.
type Body interface {
	Form() Form
	// appendCanonical renders the body as canonical JSON (RFC 8785).
	appendCanonical(dst []byte) []byte
}

// Answer is the body of FormAnswer.
type Answer struct{ Code Code }

// Batch is the body of FormBatch, in the order of the request.
type Batch struct{ Codes []Code }

// Table is the body of FormExactTable and FormPrivateTable. Cells are in the order of their keys.
type Table struct {
	// Private says that every figure is noisy.
	Private  bool
	GroupBy  []string
	Measures []string
	Cells    []Cell
}

// Cell is one group. A withheld cell has no values.
type Cell struct {
	Keys     []string
	Values   []string
	Withheld bool
}

// Masked is the body of FormMaskedTable: what describes the file, never its rows.
type Masked struct {
	Output  string // directory name in the development zone
	FileSM3 [32]byte
	Bytes   int64
	Rows    int64
	// SuppressedPermille is the share of records left out, rounded up.
	SuppressedPermille int64
	K                  int64
}

// Form is FormAnswer.
func (Answer) Form() Form { return FormAnswer }

// Form is FormBatch.
func (Batch) Form() Form { return FormBatch }

// Form is FormMaskedTable.
func (Masked) Form() Form { return FormMaskedTable }

// Form of a table depends on how it is protected.
func (t Table) Form() Form {
	if t.Private {
		return FormPrivateTable
	}
	return FormExactTable
}

func (a Answer) appendCanonical(dst []byte) []byte { return receipt.AppendAnswer(dst, uint8(a.Code)) }

func (b Batch) appendCanonical(dst []byte) []byte {
	dst = append(dst, '[')
	for i, c := range b.Codes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(c), 10)
	}
	return append(dst, ']')
}

func (t Table) appendCanonical(dst []byte) []byte {
	dst = append(dst, `{"cells":[`...)
	for i, c := range t.Cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"keys":`...)
		dst = appendStrings(dst, c.Keys)
		dst = append(dst, `,"values":`...)
		dst = appendStrings(dst, c.Values)
		dst = append(dst, `,"withheld":`...)
		dst = strconv.AppendBool(dst, c.Withheld)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"group_by":`...)
	dst = appendStrings(dst, t.GroupBy)
	dst = append(dst, `,"measures":`...)
	dst = appendStrings(dst, t.Measures)
	return append(dst, '}')
}

func (m Masked) appendCanonical(dst []byte) []byte {
	dst = append(dst, `{"bytes":`...)
	dst = strconv.AppendInt(dst, m.Bytes, 10)
	dst = append(dst, `,"file_sm3":"`...)
	dst = hex.AppendEncode(dst, m.FileSM3[:])
	dst = append(dst, `","k":`...)
	dst = strconv.AppendInt(dst, m.K, 10)
	dst = append(dst, `,"output":`...)
	dst = receipt.AppendString(dst, m.Output)
	dst = append(dst, `,"rows":`...)
	dst = strconv.AppendInt(dst, m.Rows, 10)
	dst = append(dst, `,"suppressed_permille":`...)
	dst = strconv.AppendInt(dst, m.SuppressedPermille, 10)
	return append(dst, '}')
}

func appendStrings(dst []byte, ss []string) []byte {
	dst = append(dst, '[')
	for i, s := range ss {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = receipt.AppendString(dst, s)
	}
	return append(dst, ']')
}
