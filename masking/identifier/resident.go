package identifier

// Lengths of a citizen identification number.
const (
	residentLen    = 18
	residentOldLen = 15 // issued before 1 October 1999: no century, no check
	firstYear      = 1800
	lastYear       = 2099
)

// residentWeights are 2^(18-i) mod 11 for positions 1 to 17 (GB 11643-1999,
// ISO 7064 MOD 11-2); residentCheck is indexed by the weighted sum mod 11.
var residentWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

const residentCheck = "10X98765432"

// appendResident appends the 18-character form. A 15-digit number is read as of
// the twentieth century and its check character computed.
func appendResident(dst, s []byte) ([]byte, string) {
	var c code
	if rule := c.fold(s); rule != "" {
		return dst, rule
	}
	var full [residentLen]byte
	switch c.n {
	case residentLen:
		copy(full[:], c.bytes())
	case residentOldLen:
		copy(full[:6], c.chr[:6])
		full[6], full[7] = '1', '9'
		copy(full[8:17], c.chr[6:15])
	default:
		return dst, RuleLength
	}
	if rule := residentBody(full[:17]); rule != "" {
		return dst, rule
	}
	check := residentCheckOf(full[:17])
	if c.n == residentOldLen {
		full[17] = check
	}
	if !digits(full[17:]) && full[17] != 'X' {
		return dst, RuleCharacter
	}
	if full[17] != check {
		return dst, RuleCheck
	}
	return append(dst, full[:]...), ""
}

// residentBody checks the first 17 characters and returns the rule broken, or "".
func residentBody(b []byte) string {
	switch {
	case !digits(b):
		return RuleCharacter
	case !isProvince(number(b[:2])):
		return RuleRegion
	case !isDay(number(b[6:10]), number(b[10:12]), number(b[12:14])):
		return RuleDate
	}
	return ""
}

func residentCheckOf(b []byte) byte {
	sum := 0
	for i, w := range residentWeights {
		sum += int(b[i]-'0') * w
	}
	return residentCheck[sum%11]
}

// isProvince reports a province-level code of GB/T 2260; 83 stands for the
// residence permits of Taiwan residents (81 and 82 serve both uses).
func isProvince(p int) bool {
	switch {
	case p >= 11 && p <= 15, p >= 21 && p <= 23, p >= 31 && p <= 37:
		return true
	case p >= 41 && p <= 46, p >= 50 && p <= 54, p >= 61 && p <= 65:
		return true
	}
	return p == 71 || p >= 81 && p <= 83
}

// isDay reports a day of the Gregorian calendar between 1800 and 2099. No clock
// is consulted, so that a canonical form is the same on every day.
func isDay(year, month, day int) bool {
	if year < firstYear || year > lastYear || month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= monthDays(year, month)
}

func monthDays(year, month int) int {
	switch {
	case month == 4, month == 6, month == 9, month == 11:
		return 30
	case month != 2:
		return 31
	case year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	}
	return 28
}

// ResidentIDWithCheck completes the first 17 digits of a resident number with
// the check character of GB 11643. The digits must name a province and a day.
func ResidentIDWithCheck(first17 string) (string, error) {
	var buf [residentLen]byte
	out, err := AppendResidentID(buf[:0], []byte(first17))
	return string(out), err
}

// AppendResidentID is ResidentIDWithCheck for generators: it appends the 18
// characters to dst and allocates nothing when dst has room.
func AppendResidentID(dst, first17 []byte) ([]byte, error) {
	rule := RuleLength
	if len(first17) == residentLen-1 {
		rule = residentBody(first17)
	}
	if rule != "" {
		return dst, &Error{Kind: ResidentID, Rule: rule}
	}
	return append(append(dst, first17...), residentCheckOf(first17)), nil
}
