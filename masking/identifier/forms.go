package identifier

// The checks below tell whether a value can be of a family. They return the
// rule broken, or "" when all hold; they neither allocate nor keep the value.
// Unless a comment says otherwise they expect what AppendFolded gives: ASCII
// digits and capital letters, no separators.

// AppendFolded appends s in upper-case ASCII without spaces, hyphens and
// invisible marks, full-width forms narrowed: the form in which numbers are
// compared. At most 24 characters. It returns the rule broken, or "", with dst
// as it came when one is.
func AppendFolded(dst, s []byte) ([]byte, string) {
	var c code
	if rule := c.fold(s); rule != "" {
		return dst, rule
	}
	return append(dst, c.bytes()...), ""
}

// CheckResident holds a resident number of 18 or of 15 characters against GB
// 11643: a region code that lists have drawn from, a day, the check character.
// Fifteen digits have no check character.
func CheckResident(s []byte) string {
	var full [residentLen]byte
	switch len(s) {
	case residentLen:
		copy(full[:], s)
	case residentOldLen:
		copy(full[:6], s)
		full[6], full[7] = '1', '9'
		copy(full[8:], s[6:])
	default:
		return RuleLength
	}
	if rule := residentBody(full[:17]); rule != "" {
		return rule
	}
	if _, assigned, _ := RegionIndex(uint32(number(full[:6]))); !assigned {
		return RuleRegion
	}
	if len(s) == residentOldLen {
		return ""
	}
	if full[17] != 'X' && !digits(full[17:]) {
		return RuleCharacter
	}
	if full[17] != residentCheckOf(full[:17]) {
		return RuleCheck
	}
	return ""
}

// CheckPermanent holds the number of a foreigner's permanent resident card
// against either form: since December 2023 the digit 9, province (2), country
// (3, ISO 3166-1 numeric), birthday (8), sequence (3) and the check character of
// GB 11643; before, country (3 letters), region (4), birthday (6), sequence (1)
// and a check digit by the weights 7, 3, 1 of ICAO Doc 9303 over the first 14.
func CheckPermanent(s []byte) string {
	switch len(s) {
	case residentLen:
		return permanentNew(s)
	case residentOldLen:
		return permanentOld(s)
	}
	return RuleLength
}

func permanentNew(s []byte) string {
	switch {
	case !digits(s[:17]):
		return RuleCharacter
	case s[0] != '9':
		return RulePrefix
	case !isProvince(number(s[1:3])), !isNation(nationNumbers, s[3:6]):
		return RuleRegion
	case !isDay(number(s[6:10]), number(s[10:12]), number(s[12:14])):
		return RuleDate
	case s[17] != 'X' && !digits(s[17:]):
		return RuleCharacter
	case s[17] != residentCheckOf(s[:17]):
		return RuleCheck
	}
	return ""
}

func permanentOld(s []byte) string {
	switch {
	case !letters(s[:3]), !digits(s[3:]):
		return RuleCharacter
	case !isNation(nationLetters, s[:3]), !isProvince(number(s[3:5])):
		return RuleRegion
	case !isDay(2000+number(s[7:9]), number(s[9:11]), number(s[11:13])) &&
		!isDay(1900+number(s[7:9]), number(s[9:11]), number(s[11:13])):
		return RuleDate
	case s[14] != travelCheckOf(s[:14]):
		return RuleCheck
	}
	return ""
}

// travelCheckOf is the check digit of ICAO Doc 9303-3, 4.9: weights 7, 3, 1,
// letters counting 10 to 35.
func travelCheckOf(s []byte) byte {
	weights := [3]int{7, 3, 1}
	sum := 0
	for i, b := range s {
		v := int(b - '0')
		if b >= 'A' {
			v = int(b-'A') + 10
		}
		sum += v * weights[i%3]
	}
	return byte('0' + sum%10)
}

// CheckPassport holds a number against the forms of Chinese passports: E and 8
// digits, E, a letter and 7 digits, G and 8 digits, D, S or P with 7 or 8, or E
// between; K and 8 digits (Hong Kong: also H or KJ), MA or MB and 7 digits
// (Macau), 14 or 15 and 7 digits. They have no check character.
func CheckPassport(s []byte) string {
	if len(s) < 8 || len(s) > 9 {
		return RuleLength
	}
	rest := s[1:]
	switch s[0] {
	case 'E':
		if len(s) == 9 && rest[0] >= 'A' && rest[0] != 'I' && rest[0] != 'O' {
			rest = rest[1:]
		} else if len(s) != 9 {
			return RuleLength
		}
	case 'G', 'K', 'H':
		if len(s) != 9 && s[0] == 'G' {
			return RuleLength
		}
		if s[0] == 'K' && rest[0] == 'J' {
			rest = rest[1:]
		}
	case 'D', 'S', 'P':
		if rest[0] == 'E' {
			rest = rest[1:]
		}
	case 'M':
		if rest[0] != 'A' && rest[0] != 'B' {
			return RulePrefix
		}
		rest = rest[1:]
	case '1':
		if len(s) != 9 || rest[0] != '4' && rest[0] != '5' {
			return RulePrefix
		}
	default:
		return RulePrefix
	}
	if !digits(rest) {
		return RuleCharacter
	}
	return ""
}

// CheckHongKongMacauPermit: a permit of residents of Hong Kong and Macau to come
// to the mainland, H or M and 8 digits (10 with the number of the issue), HA or
// MA and 7 digits for those of other nationality. No check character.
func CheckHongKongMacauPermit(s []byte) string {
	if len(s) != 9 && len(s) != 11 {
		return RuleLength
	}
	if s[0] != 'H' && s[0] != 'M' {
		return RulePrefix
	}
	rest := s[1:]
	if len(s) == 9 && rest[0] == 'A' {
		rest = rest[1:]
	}
	if !digits(rest) {
		return RuleCharacter
	}
	return ""
}

// CheckTaiwanPermit: a permit of residents of Taiwan to come to the mainland, 8
// digits, or 10 with the number of the issue. Nothing but the length tells it
// from other numbers.
func CheckTaiwanPermit(s []byte) string {
	switch {
	case len(s) != 8 && len(s) != 10:
		return RuleLength
	case !digits(s):
		return RuleCharacter
	}
	return ""
}

// CheckExitPermit: a permit of mainland residents to go to Hong Kong and Macau
// (C or W) or to Taiwan (L or T), 8 digits, or a letter and 7 digits.
func CheckExitPermit(s []byte) string {
	if len(s) != 9 {
		return RuleLength
	}
	switch s[0] {
	case 'C', 'W', 'L', 'T':
	default:
		return RulePrefix
	}
	rest := s[1:]
	if rest[0] >= 'A' {
		rest = rest[1:]
	}
	if !digits(rest) {
		return RuleCharacter
	}
	return ""
}

func letters(s []byte) bool {
	for _, b := range s {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}
