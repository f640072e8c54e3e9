package identifier_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
)

var checks = map[string]func([]byte) string{
	"resident": identifier.CheckResident, "permanent": identifier.CheckPermanent, "credit": identifier.CheckCreditCode,
	"card": identifier.CheckPaymentCard, "imei": identifier.CheckIMEI, "mobile": identifier.CheckMobile,
	"landline": identifier.CheckLandline, "passport": identifier.CheckPassport, "hkmo": identifier.CheckHongKongMacauPermit,
	"taiwan": identifier.CheckTaiwanPermit, "exit": identifier.CheckExitPermit, "email": identifier.CheckEmail,
	"ipv4": identifier.CheckIPv4, "ipv6": identifier.CheckIPv6, "mac": identifier.CheckMAC, "plate": identifier.CheckPlate,
}

func known(t testing.TB) [][3]string {
	b, err := os.ReadFile("testdata/known.txt")
	require.NoError(t, err)
	var out [][3]string
	for _, line := range strings.Split(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		part := strings.Split(line, "\t")
		require.Lenf(t, part, 3, "%q", line)
		out = append(out, [3]string(part))
	}
	return out
}

func TestKnownAnswers(t *testing.T) {
	seen := map[string]int{}
	for _, k := range known(t) {
		check := checks[k[0]]
		require.NotNilf(t, check, "%v", k)
		want := k[2]
		if want == "ok" {
			want = ""
			seen[k[0]]++
		}
		require.Equalf(t, want, check([]byte(k[1])), "%v", k)
	}
	require.Len(t, seen, len(checks), "a family without a good value")
}

func TestChecksAllocateNothing(t *testing.T) {
	for _, k := range known(t) {
		s, check := []byte(k[1]), checks[k[0]]
		require.Zerof(t, testing.AllocsPerRun(5, func() { check(s) }), "%v", k)
	}
}

// One wrong character of a number with a check character, or of a card or device
// one wrong digit, is always noticed.
func TestChecksNoticeSlips(t *testing.T) {
	var good [][3]string
	for _, k := range known(t) {
		switch k[0] {
		case "resident", "permanent", "credit", "card", "imei":
			if k[2] == "ok" && len(k[1]) != 15 || k[0] == "imei" && k[2] == "ok" {
				good = append(good, k)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(good).Draw(t, "value")
		b := []byte(k[1])
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		to := rapid.SampledFrom([]byte("0123456789")).Draw(t, "to")
		if b[i] == to {
			t.Skip("the same")
		}
		b[i] = to
		require.NotEmptyf(t, checks[k[0]](b), "%v at %d", k, i)
	})
}

// A check that accepts a folded resident number agrees with Canonical.
func TestChecksAgreeWithCanonical(t *testing.T) {
	kinds := map[string]identifier.Kind{"resident": identifier.ResidentID, "credit": identifier.CreditCode, "card": identifier.BankCard, "mobile": identifier.Mobile}
	for _, k := range known(t) {
		if kind, ok := kinds[k[0]]; ok && k[2] == "ok" {
			_, err := identifier.Canonical(kind, k[1])
			require.NoErrorf(t, err, "%v", k)
		}
	}
}

func FuzzChecks(f *testing.F) {
	for _, k := range known(f) {
		f.Add([]byte(k[1]))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		before := string(s)
		for name, check := range checks {
			require.Equal(t, check(s), check(s), name)
		}
		require.Equal(t, before, string(s))
		out, rule := identifier.AppendFolded([]byte("p"), s)
		if rule != "" {
			require.Equal(t, "p", string(out))
			return
		}
		again, rule := identifier.AppendFolded(nil, out[1:])
		require.Empty(t, rule)
		require.Equal(t, string(out[1:]), string(again))
	})
}
