package identifier

const (
	mobileLen = 11
	creditLen = 18
	cardMin   = 13
	cardMax   = 19
)

// appendMobile appends the 11 digits of a mainland mobile number, the country
// prefix (+86, 0086 or 86) removed.
func appendMobile(dst, s []byte) ([]byte, string) {
	var c code
	if rule := c.fold(s); rule != "" {
		return dst, rule
	}
	b, rule := cutCountry(c.bytes())
	switch {
	case rule != "":
		return dst, rule
	case !digits(b):
		return dst, RuleCharacter
	case len(b) != mobileLen:
		return dst, RuleLength
	case b[0] != '1' || b[1] < '3':
		return dst, RulePrefix
	}
	return append(dst, b...), ""
}

// cutCountry removes the prefix of mainland China. A bare 86 counts as a prefix
// only before 11 further digits. Any other country is a broken prefix.
func cutCountry(b []byte) ([]byte, string) {
	switch {
	case b[0] == '+':
		if len(b) < 3 || b[1] != '8' || b[2] != '6' {
			return nil, RulePrefix
		}
		return b[3:], ""
	case len(b) == mobileLen+4 && string(b[:4]) == "0086":
		return b[4:], ""
	case len(b) == mobileLen+2 && string(b[:2]) == "86":
		return b[2:], ""
	}
	return b, ""
}

// creditAlphabet lists the 31 characters of GB 32100-2015 by their values: no
// I, O, S, V, Z.
const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// creditWeights are 3^(i-1) mod 31 for positions 1 to 17.
var creditWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}

// appendCredit appends the 18 characters of a unified social credit identifier.
func appendCredit(dst, s []byte) ([]byte, string) {
	var c code
	if rule := c.fold(s); rule != "" {
		return dst, rule
	}
	b := c.bytes()
	if len(b) != creditLen {
		return dst, RuleLength
	}
	check, rule := creditCheckOf(b[:creditLen-1])
	switch {
	case rule != "":
		return dst, rule
	case creditValue(b[creditLen-1]) < 0:
		return dst, RuleCharacter
	case b[creditLen-1] != check:
		return dst, RuleCheck
	}
	return append(dst, b...), ""
}

// creditCheckOf computes the check character over 17 characters. Positions 3 to
// 8 are the region of the registrar and must be digits.
func creditCheckOf(b []byte) (byte, string) {
	sum := 0
	for i, w := range creditWeights {
		v := creditValue(b[i])
		if v < 0 {
			return 0, RuleCharacter
		}
		sum += v * w
	}
	if !digits(b[2:8]) {
		return 0, RuleRegion
	}
	return creditAlphabet[(31-sum%31)%31], ""
}

// creditValue is the value of one character, or -1 outside the alphabet.
func creditValue(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b < 'A' || b > 'Y':
		return -1
	}
	v := int(b-'A') + 10
	switch {
	case b == 'I', b == 'O', b == 'S', b == 'V':
		return -1
	case b > 'V':
		return v - 4
	case b > 'S':
		return v - 3
	case b > 'O':
		return v - 2
	case b > 'I':
		return v - 1
	}
	return v
}

// CreditCodeWithCheck completes the first 17 characters (upper case, alphabet
// and region as in GB 32100) with the check character.
func CreditCodeWithCheck(first17 string) (string, error) {
	if len(first17) != creditLen-1 {
		return "", &Error{Kind: CreditCode, Rule: RuleLength}
	}
	check, rule := creditCheckOf([]byte(first17))
	if rule != "" {
		return "", &Error{Kind: CreditCode, Rule: rule}
	}
	return first17 + string(rune(check)), nil
}

// appendCard appends the digits of a card number whose Luhn sum agrees
// (ISO/IEC 7812-1). A leading zero is not assigned to payment cards.
func appendCard(dst, s []byte) ([]byte, string) {
	var c code
	if rule := c.fold(s); rule != "" {
		return dst, rule
	}
	b := c.bytes()
	switch {
	case !digits(b):
		return dst, RuleCharacter
	case len(b) < cardMin || len(b) > cardMax:
		return dst, RuleLength
	case b[0] == '0':
		return dst, RulePrefix
	case !luhn(b):
		return dst, RuleCheck
	}
	return append(dst, b...), ""
}

func luhn(b []byte) bool {
	sum := 0
	for i := range b {
		v := int(b[len(b)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}
