package identifier

// issuer is a range of the first six digits of card numbers (ISO/IEC 7812) and
// the lengths its cards have.
type issuer struct {
	first, last int
	shortest    int
	longest     int
}

// issuers lists what cards in use here begin with: UnionPay, the older ranges of
// domestic banks, and the international schemes.
var issuers = [...]issuer{
	{620000, 629999, 16, 19}, // UnionPay
	{810000, 817199, 16, 19}, // UnionPay
	{955800, 955999, 16, 19}, // domestic, before UnionPay
	{940000, 940099, 16, 19}, // domestic, before UnionPay
	{601382, 601382, 19, 19}, // domestic, before UnionPay
	{603000, 603999, 16, 19}, // domestic, before UnionPay
	{400000, 499999, 16, 16}, // Visa
	{510000, 559999, 16, 16}, // Mastercard
	{222100, 272099, 16, 16}, // Mastercard
	{340000, 349999, 15, 15}, // American Express
	{370000, 379999, 15, 15}, // American Express
	{352800, 358999, 16, 19}, // JCB
	{300000, 305999, 14, 16}, // Diners
	{360000, 369999, 14, 16}, // Diners
	{380000, 399999, 14, 16}, // Diners
	{601100, 601199, 16, 19}, // Discover
	{644000, 659999, 16, 19}, // Discover
}

// CheckPaymentCard holds a card number against the ranges of issuers in use
// here, the lengths of their cards, and Luhn's sum. Canonical accepts more:
// every number whose sum agrees.
func CheckPaymentCard(s []byte) string {
	switch {
	case len(s) < cardMin || len(s) > cardMax:
		return RuleLength
	case !digits(s):
		return RuleCharacter
	}
	bin, rule := number(s[:6]), RulePrefix
	for _, r := range issuers {
		if bin < r.first || bin > r.last {
			continue
		}
		if rule = RuleLength; len(s) >= r.shortest && len(s) <= r.longest {
			rule = ""
			break
		}
	}
	if rule == "" && !luhn(s) {
		return RuleCheck
	}
	return rule
}

const imeiLen = 15

// CheckIMEI holds the identity of a mobile device (3GPP TS 23.003, 6.2.1)
// against the bodies that allot type codes, and Luhn's sum.
func CheckIMEI(s []byte) string {
	switch {
	case len(s) != imeiLen:
		return RuleLength
	case !digits(s):
		return RuleCharacter
	}
	switch number(s[:2]) {
	case 1, 30, 33, 35, 44, 45, 49, 50, 51, 52, 53, 54, 86, 91, 98, 99:
	default:
		return RulePrefix
	}
	if !luhn(s) {
		return RuleCheck
	}
	return ""
}

// CheckCreditCode holds a unified social credit identifier against GB
// 32100-2015: the registering department, the region, the check character.
func CheckCreditCode(s []byte) string {
	if len(s) != creditLen {
		return RuleLength
	}
	check, rule := creditCheckOf(s[:creditLen-1])
	switch {
	case rule != "":
		return rule
	case !department(s[0]):
		return RulePrefix
	case s[2:4][0] == '0' || number(s[2:4]) != 10 && !isProvince(number(s[2:4])):
		return RuleRegion
	case s[creditLen-1] != check:
		if creditValue(s[creditLen-1]) < 0 {
			return RuleCharacter
		}
		return RuleCheck
	}
	return ""
}

// department reports the codes of registering departments: 1 staffing, 2 foreign
// affairs, 3 justice, 4 culture, 5 civil affairs, 6 tourism, 7 religion, 8 trade
// unions, 9 market regulation, A to H, N and Y further ones.
func department(b byte) bool {
	return b >= '1' && b <= '9' || b >= 'A' && b <= 'H' || b == 'N' || b == 'Y'
}

// CheckMobile holds 11 digits against the ranges given to mobile networks,
// those of satellite and virtual operators among them.
func CheckMobile(s []byte) string {
	switch {
	case len(s) != mobileLen:
		return RuleLength
	case !digits(s):
		return RuleCharacter
	case s[0] != '1':
		return RulePrefix
	}
	third := s[2]
	ok := false
	switch s[1] {
	case '3', '8':
		ok = true
	case '4':
		ok = third >= '4'
	case '5':
		ok = third != '4'
	case '6':
		ok = third == '2' || third >= '5' && third <= '7'
	case '7':
		ok = third != '9'
	case '9':
		ok = third != '4'
	}
	if !ok {
		return RulePrefix
	}
	return ""
}

// CheckLandline holds a number with its area code against the numbering plan: 0,
// the area (10, 2x, or three digits), and 7 or 8 digits that begin with 2 to 8.
func CheckLandline(s []byte) string {
	if len(s) < 10 || len(s) > 12 {
		return RuleLength
	}
	if !digits(s) {
		return RuleCharacter
	}
	if s[0] != '0' || s[1] == '0' {
		return RulePrefix
	}
	local := s[4:]
	if s[1] == '2' || s[1] == '1' {
		if s[1] == '1' && s[2] != '0' {
			return RulePrefix
		}
		local = s[3:]
	}
	switch {
	case len(local) != 7 && len(local) != 8:
		return RuleLength
	case local[0] < '2' || local[0] > '8':
		return RulePrefix
	}
	return ""
}
