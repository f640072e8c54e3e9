package identifier

import (
	"strings"
	"unicode/utf8"
)

// CheckEmail holds printable ASCII against the everyday form of RFC 5321
// mailboxes: no quotes, no comments, no address literals. s is not folded.
func CheckEmail(s []byte) string {
	if len(s) < 6 || len(s) > 254 {
		return RuleLength
	}
	at := -1
	for i, b := range s {
		switch {
		case b == '@':
			if at >= 0 {
				return RuleCharacter
			}
			at = i
		case alnum(b), b == '.', b == '-':
		case at < 0 && (b == '_' || b == '+' || b == '%' || b == '\'' || b == '&' || b == '='):
		default:
			return RuleCharacter
		}
	}
	if at < 1 || at > 64 || s[0] == '.' || s[at-1] == '.' {
		return RuleCharacter
	}
	return checkDomain(s[at+1:])
}

// checkDomain wants labels of letters, digits and inner hyphens, the last one of
// two or more letters.
func checkDomain(s []byte) string {
	start, labels := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			continue
		}
		label := s[start:i]
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return RuleCharacter
		}
		start, labels = i+1, labels+1
		if i < len(s) {
			continue
		}
		if labels < 2 || len(label) < 2 {
			return RuleLength
		}
		for _, b := range label {
			if b >= '0' && b <= '9' || b == '-' {
				return RuleCharacter
			}
		}
	}
	return ""
}

func alnum(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}

func hexDigit(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f'
}

// CheckIPv4 wants four decimal numbers to 255 without leading zeros. s is not
// folded.
func CheckIPv4(s []byte) string {
	if len(s) < 7 || len(s) > 15 {
		return RuleLength
	}
	parts, n, width := 1, 0, 0
	for _, b := range s {
		switch {
		case b == '.':
			if width == 0 {
				return RuleCharacter
			}
			parts, n, width = parts+1, 0, 0
		case b >= '0' && b <= '9':
			if width > 0 && n == 0 {
				return RuleCharacter
			}
			n, width = n*10+int(b-'0'), width+1
			if n > 255 {
				return RulePrefix
			}
		default:
			return RuleCharacter
		}
	}
	if parts != 4 || width == 0 {
		return RuleLength
	}
	return ""
}

// CheckIPv6 wants the text form of RFC 4291, 2.2, without zone and prefix
// length. s is not folded.
func CheckIPv6(s []byte) string {
	if len(s) < 2 || len(s) > 45 {
		return RuleLength
	}
	groups, width, short := 0, 0, false
	start := 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case hexDigit(b):
			if width++; width > 4 {
				return RuleLength
			}
		case b == ':':
			switch {
			case width > 0:
				groups, width = groups+1, 0
			case i > 0 && s[i-1] == ':':
				if short {
					return RuleCharacter
				}
				short = true
			case i > 0 || len(s) == 1 || s[1] != ':':
				return RuleCharacter
			}
			start = i + 1
		case b == '.':
			if rule := CheckIPv4(s[start:]); rule != "" {
				return rule
			}
			return sixGroups(groups+2, short)
		default:
			return RuleCharacter
		}
	}
	if width > 0 {
		groups++
	} else if len(s) < 2 || s[len(s)-2] != ':' {
		return RuleCharacter
	}
	return sixGroups(groups, short)
}

func sixGroups(n int, short bool) string {
	if n == 8 && !short || n < 8 && short {
		return ""
	}
	return RuleLength
}

// CheckMAC wants an EUI-48 (IEEE 802): six pairs of hexadecimal digits between
// colons or hyphens, or three groups of four between full stops. s is not folded.
func CheckMAC(s []byte) string {
	step := 3
	switch len(s) {
	case 17:
	case 14:
		step = 5
	default:
		return RuleLength
	}
	mark := s[step-1]
	if step == 3 && mark != ':' && mark != '-' || step == 5 && mark != '.' {
		return RuleCharacter
	}
	for i, b := range s {
		if i%step == step-1 {
			if b != mark {
				return RuleCharacter
			}
		} else if !hexDigit(b) {
			return RuleCharacter
		}
	}
	return ""
}

// plateProvinces are the characters that plates begin with.
const plateProvinces = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"

// plateLast are the characters that mark what a vehicle is for.
const plateLast = "挂学警港澳领超"

// CheckPlate holds the plate of a vehicle against GA 36: a province, a letter,
// five characters of which the last may say what the vehicle is for, or six with
// the D, F and their like of new energy in first or last place. Letters I and O
// are not used after the second place. s is in capital letters, with nothing
// between the parts but at most one dot, space or hyphen.
func CheckPlate(s []byte) string {
	r, size := utf8.DecodeRune(s)
	if size < 3 || !strings.ContainsRune(plateProvinces, r) {
		return RuleRegion
	}
	s = s[size:]
	if len(s) == 0 || s[0] < 'A' || s[0] > 'Z' || s[0] == 'I' {
		return RulePrefix
	}
	s = s[1:]
	if dot, size := utf8.DecodeRune(s); isMiddleDot(dot) || dot == ' ' || dot == '-' {
		s = s[size:]
	}
	if len(s) == 6 {
		return newEnergy(s)
	}
	if last, size := utf8.DecodeLastRune(s); size == 3 {
		if len(s) != 4+size || !strings.ContainsRune(plateLast, last) {
			return RuleCharacter
		}
		s = s[:4]
	} else if len(s) != 5 {
		return RuleLength
	}
	n := 0
	for _, b := range s {
		if !plateByte(b) {
			return RuleCharacter
		}
		if b <= '9' {
			n++
		}
	}
	if n < 2 {
		return RuleCharacter
	}
	return ""
}

// newEnergy: D, A, B, C, E (electric) and F, G, H, J, K (others) come first on
// small vehicles and last on large ones; the other places are digits, save for
// the second of a small one.
func newEnergy(s []byte) string {
	kind := func(b byte) bool { return b >= 'A' && b <= 'K' && b != 'I' }
	switch {
	case kind(s[0]) && plateByte(s[1]) && digits(s[2:]):
		return ""
	case kind(s[5]) && digits(s[:5]):
		return ""
	}
	return RuleCharacter
}

func plateByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' && b != 'I' && b != 'O'
}
