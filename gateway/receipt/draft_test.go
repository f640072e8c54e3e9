package receipt

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/gateway/audit"
)

func drawVarying(t *rapid.T) *Varying {
	count := rapid.Int64Range(-MaxInteger, MaxInteger)
	second := rapid.Int64Range(0, 200_000_000_000)
	v := &Varying{
		Before: count.Draw(t, "before"), After: count.Draw(t, "after"), Consent: rapid.StringN(0, 40, 160).Draw(t, "consent"),
		Rows: 1, Serial: "YM-20261123-000000000077", Time: time.UnixMilli(second.Draw(t, "time")*1000 + 7),
		ID: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")), Request: audit.HashOf([]byte{1}), Result: audit.HashOf([]byte{2}),
	}
	if rapid.Bool().Draw(t, "expires") {
		v.Expires = time.Unix(second.Draw(t, "until"), 0).UTC()
	}
	return v
}

// take puts the values into a statement.
func (s *Statement) take(v *Varying) {
	s.Budget.Before, s.Budget.After, s.Consent, s.Rows, s.Serial = v.Before, v.After, v.Consent, v.Rows, v.Serial
	s.ID, s.Request, s.Result = hex.EncodeToString(v.ID[:]), v.Request.String(), v.Result.String()
	s.Time, s.Expires = FormatTime(v.Time), ""
	if !v.Expires.IsZero() {
		s.Expires = v.Expires.Format(time.DateOnly)
	}
}

// A draft and a statement that was written in one go are the same bytes, whatever the draft was made of.
func TestADraftGivesTheStatement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStatement(t)
		d, err := NewDraft(s)
		require.NoError(t, err)
		for range 3 {
			v := drawVarying(t)
			got, err := d.Append([]byte("x"), v)
			require.NoError(t, err)
			s.take(v)
			require.Equal(t, string(canonical(t, s)), string(got[1:]))
			_, err = ParseStatement(got[1:])
			require.NoError(t, err)
		}
	})
}

func TestADraftRefusesWhatAStatementRefuses(t *testing.T) {
	bad := sample()
	bad.Dataset.ID = "\xff"
	_, err := NewDraft(bad)
	require.ErrorIs(t, err, ErrStatement)
	d, err := NewDraft(sample())
	require.NoError(t, err)
	for field, change := range map[string]func(*Varying){
		"budget":  func(v *Varying) { v.After = MaxInteger + 1 },
		"consent": func(v *Varying) { v.Consent = "\xff" },
		"expires": func(v *Varying) { v.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"rows":    func(v *Varying) { v.Rows = 2 },
		"serial":  func(v *Varying) { v.Serial = "YM-1" },
		"time":    func(v *Varying) { v.Time = time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC) },
	} {
		v := &Varying{Rows: 1, Serial: "YM-20261123-000000000077", Time: time.Unix(0, 0)}
		_, err := d.Append(nil, v)
		require.NoError(t, err)
		change(v)
		_, err = d.Append(nil, v)
		var wrong *FieldError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, field, wrong.Field)
	}
	long := sample()
	long.AllowedUse = strings.Repeat("\x01", MaxText)
	for range MaxChecks - len(long.Checks) {
		long.Checks = append(long.Checks, Check{strings.Repeat("\x01", MaxName), strings.Repeat("\x01", MaxName), ""})
	}
	d, err = NewDraft(long)
	require.NoError(t, err)
	_, err = d.Append(nil, &Varying{Rows: 1, Serial: "YM-20261123-000000000077", Time: time.Unix(0, 0)})
	require.ErrorIs(t, err, ErrSize)
}
