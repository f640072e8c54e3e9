package identifier_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/masking/identifier"
)

// The first numbers of each kind are the worked examples of the standards: GB
// 11643-1999, GB 32100-2015; the others are variants of them.
var good = []struct {
	kind     identifier.Kind
	in, want string
}{
	{identifier.ResidentID, "11010519491231002X", "11010519491231002X"},
	{identifier.ResidentID, "440524188001010014", "440524188001010014"},
	{identifier.ResidentID, "11010519491231002x", "11010519491231002X"},
	{identifier.ResidentID, "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"},
	{identifier.ResidentID, "１１０１０５１９４９１２３１００２ｘ", "11010519491231002X"},
	{identifier.ResidentID, "  110105 19491231 002X\r\n", "11010519491231002X"},
	{identifier.ResidentID, "110105-19491231-002X", "11010519491231002X"},
	{identifier.ResidentID, "110105　19491231—002X", "11010519491231002X"},
	{identifier.ResidentID, "\ufeff110105\u200b19491231002X\u202c", "11010519491231002X"},
	{identifier.ResidentID, "110105491231002", "11010519491231002X"},
	{identifier.ResidentID, "1101 0549 1231 002", "11010519491231002X"},
	{identifier.Mobile, "13800138000", "13800138000"},
	{identifier.Mobile, "+86 138-0013-8000", "13800138000"},
	{identifier.Mobile, "＋８６　１３８００１３８０００", "13800138000"},
	{identifier.Mobile, "008613800138000", "13800138000"},
	{identifier.Mobile, "8613800138000", "13800138000"},
	{identifier.Mobile, "\u202a138 0013 8000\u202c", "13800138000"},
	{identifier.CreditCode, "91350100M000100Y43", "91350100M000100Y43"},
	{identifier.CreditCode, "91350100m000100y43", "91350100M000100Y43"},
	{identifier.CreditCode, "９１３５０１００Ｍ０００１００Ｙ４３", "91350100M000100Y43"},
	{identifier.CreditCode, "913501-00M0001 00Y43", "91350100M000100Y43"},
	{identifier.BankCard, "4111 1111 1111 1111", "4111111111111111"},
	{identifier.BankCard, "6222021234567890128", "6222021234567890128"},
	{identifier.PersonName, " 张三 ", "张三"},
	{identifier.PersonName, "张　三", "张三"},
	{identifier.PersonName, "欧阳 娜娜", "欧阳娜娜"},
	{identifier.PersonName, "阿依古丽·买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽•买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽‧买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽・买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽･买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽⸱买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽●买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽.买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽．买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽 · · 买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "阿依古丽 . 买买提", "阿依古丽·买买提"},
	{identifier.PersonName, "ｊｏｈｎ   Smith", "JOHN SMITH"},
	{identifier.PersonName, " .J.  R. R.Tolkien jr. ", ".J. R. R.TOLKIEN JR."},
	{identifier.PersonName, "𠮷田•〇", "𠮷田·〇"},
	{identifier.PersonName, "李 LEE", "李 LEE"},
	{identifier.Opaque, " a b\n", "a b"},
	{identifier.Opaque, "　工号7　", "工号7"},
}

func TestCanonical(t *testing.T) {
	for _, c := range good {
		got, err := identifier.Canonical(c.kind, c.in)
		require.NoErrorf(t, err, "%s %q", c.kind, c.in)
		require.Equalf(t, c.want, got, "%s %q", c.kind, c.in)
		again, err := identifier.Canonical(c.kind, got)
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("长", 65)
	cases := []struct {
		kind     identifier.Kind
		in, rule string
	}{
		{identifier.ResidentID, "", "empty"},
		{identifier.ResidentID, " - 　", "empty"},
		{identifier.ResidentID, "110105194912310021", "check"},
		{identifier.ResidentID, "X10105194912310021", "character"},
		{identifier.ResidentID, "11010519491231002A", "character"},
		{identifier.ResidentID, "11010519491231002+", "character"},
		{identifier.ResidentID, "1101051949123100X", "length"},
		{identifier.ResidentID, "11010519491231002X0", "length"},
		{identifier.ResidentID, strings.Repeat("1", 25), "length"},
		{identifier.ResidentID, strings.Repeat(" ", 1025), "length"},
		{identifier.ResidentID, "10010519491231002X", "region"},
		{identifier.ResidentID, "110105194902290025", "date"},
		{identifier.ResidentID, "110105194900010025", "date"},
		{identifier.ResidentID, "110105194913010025", "date"},
		{identifier.ResidentID, "110105194904310025", "date"},
		{identifier.ResidentID, "110105179912310025", "date"},
		{identifier.ResidentID, "110105210001010025", "date"},
		{identifier.ResidentID, "110105190002290025", "date"},
		{identifier.ResidentID, "110105490229002", "date"},
		{identifier.ResidentID, "11010549123100X", "character"},
		{identifier.ResidentID, "1101051949123100\xff\xfe", "encoding"},
		{identifier.ResidentID, "١١٠١٠٥١٩٤٩١٢٣١٠٠٢٩", "character"},
		{identifier.ResidentID, "11010519491231002X\x00", "character"},
		{identifier.Mobile, "", "empty"},
		{identifier.Mobile, "+", "prefix"},
		{identifier.Mobile, "+86", "length"},
		{identifier.Mobile, "+85213800138000", "prefix"},
		{identifier.Mobile, "+8613800138", "length"},
		{identifier.Mobile, "12800138000", "prefix"},
		{identifier.Mobile, "23800138000", "prefix"},
		{identifier.Mobile, "1380013800", "length"},
		{identifier.Mobile, "0138001380001", "length"},
		{identifier.Mobile, "1380013800O", "character"},
		{identifier.Mobile, "138(0013)8000", "character"},
		{identifier.Mobile, "1+800138000", "character"},
		{identifier.CreditCode, "91350100M000100Y4I", "character"},
		{identifier.CreditCode, "91350100I000100Y43", "character"},
		{identifier.CreditCode, "91350100M000100Y4", "length"},
		{identifier.CreditCode, "91350100M000100Y44", "check"},
		{identifier.CreditCode, "913501A0M000100Y43", "region"},
		{identifier.BankCard, "4111111111111112", "check"},
		{identifier.BankCard, "0000000000000000", "prefix"},
		{identifier.BankCard, "411111111111", "length"},
		{identifier.BankCard, "41111111111111111111", "length"},
		{identifier.BankCard, "4111X11111111111", "character"},
		{identifier.PersonName, "", "empty"},
		{identifier.PersonName, " 　", "empty"},
		{identifier.PersonName, "张\x00三", "character"},
		{identifier.PersonName, "张\u202e三", "character"},
		{identifier.PersonName, "·张三", "character"},
		{identifier.PersonName, "张三 ·", "character"},
		{identifier.PersonName, " . .", "character"},
		{identifier.PersonName, "张\xe4\xb8", "encoding"},
		{identifier.PersonName, long, "length"},
		{identifier.PersonName, "A" + strings.Repeat(".", 17) + "B", "length"},
		{identifier.Opaque, " \t", "empty"},
		{identifier.Opaque, strings.Repeat("a", 129), "length"},
		{identifier.Opaque, "\xff", "encoding"},
		{identifier.Kind("passport"), "E12345678", "kind"},
	}
	for _, c := range cases {
		out, err := identifier.Canonical(c.kind, c.in)
		var e *identifier.Error
		require.ErrorAsf(t, err, &e, "%s %q", c.kind, c.in)
		require.Equalf(t, c.rule, e.Rule, "%s %q", c.kind, c.in)
		require.Equal(t, c.kind, e.Kind)
		require.Empty(t, out)
	}
}

func TestRefusalKeepsDestination(t *testing.T) {
	dst := []byte("kept")
	for _, k := range []identifier.Kind{identifier.PersonName, identifier.ResidentID, identifier.Opaque} {
		out, err := identifier.AppendCanonical(dst, k, []byte("张三 ·\xff"))
		require.Error(t, err)
		require.Equal(t, "kept", string(out))
	}
}

func TestErrorHoldsNoValue(t *testing.T) {
	secret := "110105194912310021"
	for _, k := range []identifier.Kind{identifier.ResidentID, identifier.Mobile, identifier.CreditCode, identifier.BankCard} {
		_, err := identifier.Canonical(k, secret)
		require.Error(t, err)
		for i := 0; i+4 <= len(secret); i++ {
			require.NotContains(t, err.Error(), secret[i:i+4])
		}
	}
}

func TestParseKind(t *testing.T) {
	for _, k := range []string{"resident_id", "mobile", "credit_code", "person_name", "opaque", "bank_card"} {
		got, err := identifier.ParseKind(k)
		require.NoError(t, err)
		require.Equal(t, k, string(got))
	}
	for _, k := range []string{"", "Mobile", "passport", "mobile "} {
		_, err := identifier.ParseKind(k)
		require.True(t, errors.Is(err, identifier.ErrKind))
	}
}

func TestConstructors(t *testing.T) {
	id, err := identifier.ResidentIDWithCheck("11010519491231002")
	require.NoError(t, err)
	require.Equal(t, "11010519491231002X", id)
	code, err := identifier.CreditCodeWithCheck("91350100M000100Y4")
	require.NoError(t, err)
	require.Equal(t, "91350100M000100Y43", code)

	for _, bad := range []string{"", "1101051949123100", "110105194912310021", "99010519491231002", "11010519490229002", "1101051949123100X"} {
		id, err = identifier.ResidentIDWithCheck(bad)
		require.Error(t, err)
		require.Empty(t, id)
	}
	for _, bad := range []string{"", "91350100M000100Y", "91350100M000100Y43", "91350100I000100Y4", "9135010AM000100Y4", "91350100m000100y4"} {
		code, err = identifier.CreditCodeWithCheck(bad)
		require.Error(t, err)
		require.Empty(t, code)
	}
}
