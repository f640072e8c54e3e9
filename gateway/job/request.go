package job

import (
	"encoding/binary"
	"time"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
	"github.com/yumen-project/yumen/masking/identifier"
)

// fields appends length-prefixed strings, so that no two lists encode alike.
func fields(dst []byte, ss ...string) []byte {
	for _, s := range ss {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

func scopeOf(ss ...string) ledger.Scope {
	var space [256]byte
	sum := audit.HashOf(fields(space[:0], ss...))
	return ledger.Scope(sum[:16])
}

// badKey refuses a missing or misshapen idempotency key.
func badKey(key string, made time.Time) bool {
	return len(key) < spec.MinKey || len(key) > spec.MaxKey || made.UnixMilli() <= 0
}

// requestRow is what the request commitment covers: the subject as the caller wrote it.
func requestRow(s *spec.Subject) release.Row {
	return receipt.AppendSubject(make([]byte, 0, 96+len(s.Name)), s.Number, s.Name, s.Phone)
}

// namedRow is the request of a table or masked table.
func namedRow(kind, id, scenario string) release.Row {
	b := append([]byte(`{"`), kind...)
	b = append(b, `":`...)
	b = receipt.AppendString(b, id)
	b = append(b, `,"scenario":`...)
	b = receipt.AppendString(b, scenario)
	return append(b, '}')
}

// person is a subject in canonical form.
type person struct{ number, name, phone []byte }

// canonical brings a subject into the form the index was built with. Identity templates need name and phone too.
func canonical(dst *person, s *spec.Subject, kind identifier.Kind, identity bool) error {
	var err error
	if dst.number, err = identifier.AppendCanonical(dst.number[:0], kind, []byte(s.Number)); err != nil || !identity {
		return err
	}
	if dst.name, err = identifier.AppendCanonical(dst.name[:0], identifier.PersonName, []byte(s.Name)); err != nil {
		return err
	}
	dst.phone, err = identifier.AppendCanonical(dst.phone[:0], identifier.Mobile, []byte(s.Phone))
	return err
}

func actOf(k spec.Kind) governance.Act {
	switch k {
	case spec.Batch:
		return governance.ActBatch
	case spec.Table:
		return governance.ActTable
	default:
		return governance.ActVerify
	}
}
