package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// AccountKind says what an account counts.
type AccountKind uint8

const (
	// Quota counts answers of one unit in one scenario on one day.
	Quota AccountKind = 1
	// Attempts counts identity-match attempts of one unit for one subject on one day.
	Attempts AccountKind = 2
	// ConsentUse counts answers given under one consent in one year.
	ConsentUse AccountKind = 3
	// JobRuns counts jobs of one unit in one scenario on one day.
	JobRuns AccountKind = 4
	// PrivacyRho counts what private tables of a dataset have spent, in units of 1e-9 of rho (zCDP). It has no period.
	PrivacyRho AccountKind = 5
	// PrivacyDelta counts the same in units of 1e-12 of delta. It has no period.
	PrivacyDelta AccountKind = 6
	// UnitRho counts the part of PrivacyRho that one unit caused. It has no period.
	UnitRho AccountKind = 7
)

// Scope names the owner of an account by a truncated digest, so that no name or subject stands in it.
type Scope [16]byte

// Account is one counter. Period is the day (or year) it belongs to, 0 for none.
type Account struct {
	Kind   AccountKind
	Scope  Scope
	Period int32
}

// Charge adds Amount (> 0) to an account.
type Charge struct {
	Account
	Amount int64
}

func (c *Charge) valid() bool { return c.Amount > 0 && c.Kind >= Quota && c.Kind <= UnitRho }

// Idem binds an idempotency key, scoped by party before it comes here, to one request.
type Idem struct {
	Key     [16]byte
	Request [16]byte
	// Time is when the caller made the key, Unix milliseconds, or Forever.
	Time int64
}

// Forever is the time of a key of the gateway's own that no horizon ends: a stored private answer.
const Forever int64 = math.MinInt64

// Record is the private record of every frame: what the ledger reads, then a body it does not.
type Record struct {
	// Serial is the running number of the release, 0 for frames that are none.
	Serial  uint64
	Charges []Charge
	Idem    *Idem
	Body    []byte
}

// ErrRecord: the bytes are not a record; the log they came from cannot be trusted.
var ErrRecord = errors.New("ledger: malformed record")

const (
	recordVersion = 1
	maxCharges    = 1 << 18 // a batch of identity matches charges every subject
	chargeSize    = 1 + 16 + 4 + 8
	idemSize      = 16 + 16 + 8
	headSize      = 1 + 8 + 4 + 1
)

// AppendTo appends the record's strict binary form.
func (r *Record) AppendTo(dst []byte) ([]byte, error) {
	if len(r.Charges) > maxCharges {
		return nil, fmt.Errorf("ledger: record: %d charges, at most %d", len(r.Charges), maxCharges)
	}
	for _, c := range r.Charges {
		if !c.valid() {
			return nil, fmt.Errorf("%w: charge", ErrRecord)
		}
	}
	dst = append(dst, recordVersion)
	dst = binary.BigEndian.AppendUint64(dst, r.Serial)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Charges)))
	dst = append(dst, boolByte(r.Idem != nil))
	for _, c := range r.Charges {
		dst = append(dst, byte(c.Kind))
		dst = append(dst, c.Scope[:]...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(c.Period))
		dst = binary.BigEndian.AppendUint64(dst, uint64(c.Amount))
	}
	if r.Idem != nil {
		dst = append(dst, r.Idem.Key[:]...)
		dst = append(dst, r.Idem.Request[:]...)
		dst = binary.BigEndian.AppendUint64(dst, uint64(r.Idem.Time))
	}
	return append(dst, r.Body...), nil
}

// ParseRecord reads what AppendTo wrote. Body aliases b.
func ParseRecord(b []byte) (*Record, error) {
	if len(b) < headSize || b[0] != recordVersion || binary.BigEndian.Uint32(b[9:]) > maxCharges || b[13] > 1 {
		return nil, ErrRecord
	}
	r := &Record{Serial: binary.BigEndian.Uint64(b[1:])}
	n, hasIdem := int(binary.BigEndian.Uint32(b[9:])), b[13] == 1
	b = b[headSize:]
	if len(b) < n*chargeSize {
		return nil, ErrRecord
	}
	for range n {
		c := Charge{Amount: int64(binary.BigEndian.Uint64(b[21:]))}
		c.Kind, c.Period = AccountKind(b[0]), int32(binary.BigEndian.Uint32(b[17:]))
		copy(c.Scope[:], b[1:])
		if !c.valid() {
			return nil, ErrRecord
		}
		r.Charges = append(r.Charges, c)
		b = b[chargeSize:]
	}
	if hasIdem {
		if len(b) < idemSize {
			return nil, ErrRecord
		}
		r.Idem = &Idem{Time: int64(binary.BigEndian.Uint64(b[32:]))}
		copy(r.Idem.Key[:], b)
		copy(r.Idem.Request[:], b[16:])
		b = b[idemSize:]
	}
	r.Body = b
	return r, nil
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
