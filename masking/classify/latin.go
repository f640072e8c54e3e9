package classify

import (
	"bytes"

	"github.com/yumen-project/yumen/masking/identifier"
)

// latin judges a value without Han characters.
func (s *scanner) latin(text []byte) signs {
	sh := &s.shape
	var g signs
	if sh.ats == 1 && identifier.CheckEmail(text) == "" {
		return sEmail
	}
	if sh.dots == 3 && identifier.CheckIPv4(text) == "" {
		g |= sIPv4
		if small(text) {
			g ^= sIPv4 | sSmallIP
		}
	}
	if sh.colons >= 2 && identifier.CheckIPv6(text) == "" {
		g |= sIPv6
	}
	if (sh.colons == 5 || sh.hyphens == 5 || sh.dots == 2) && identifier.CheckMAC(text) == "" {
		g |= sMAC
	}
	if len(text) > 5 && string(text[:5]) == "wxid_" && sh.underscores > 0 {
		g |= sWxid
	}
	if wechat(text) {
		g |= sWeChat
	}
	if word(sh, text) {
		g |= sLatinName
	}
	if sh.letters > 0 && sh.digits > 0 && sh.others == 0 && sh.spaces == 0 && (sh.hyphens > 0 || sh.underscores > 0) {
		g |= sCode
	}
	if sh.dots == 1 && sh.letters <= 2 && sh.runes <= 8 && icdDotted(text) {
		g |= sICD
	}
	switch len(text) {
	case 1:
		g |= single(text[0])
	case 3, 4, 5, 6, 7:
		g |= genderWord(text)
	}
	if sh.others == 2 && sh.letters == 0 && sh.digits >= 10 && sh.digits <= 12 {
		g |= s.punctuated(text)
	}
	return g
}

// small reports four numbers below 32: more often a version than an address.
func small(text []byte) bool {
	n := 0
	for _, b := range text {
		if b == '.' {
			n = 0
			continue
		}
		if n = n*10 + int(b-'0'); n > 31 {
			return false
		}
	}
	return true
}

// punctuated judges a landline number with its area in brackets.
func (s *scanner) punctuated(text []byte) signs {
	var buf [maxCode]byte
	c := buf[:0]
	for _, b := range text {
		if b >= '0' && b <= '9' && len(c) < maxCode {
			c = append(c, b)
		}
	}
	if identifier.CheckLandline(c) == "" {
		return sLandline
	}
	return 0
}

func single(b byte) signs {
	switch b {
	case 'M', 'F', 'm', 'f':
		return sGender
	case '0', '1':
		return sGenderCode | sBool
	case '2', '9':
		return sGenderCode
	case 'Y', 'N', 'y', 'n', 'T':
		return sBool
	}
	return 0
}

func genderWord(text []byte) signs {
	for _, word := range [...]string{"male", "man", "female", "woman"} {
		if bytes.EqualFold(text, []byte(word)) {
			return sGender
		}
	}
	for _, word := range [...]string{"yes", "true", "false"} {
		if bytes.EqualFold(text, []byte(word)) {
			return sBool
		}
	}
	return 0
}

// wechat reports the form of a WeChat name: a letter, then 5 to 19 letters,
// digits, hyphens or underscores.
func wechat(text []byte) bool {
	if len(text) < 6 || len(text) > 20 || text[0]|0x20 < 'a' || text[0]|0x20 > 'z' {
		return false
	}
	for _, b := range text {
		if b != '_' && b != '-' && (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'z') {
			return false
		}
	}
	return true
}

// word reports what may be a name in Latin letters: one to four words.
func word(sh *shape, text []byte) bool {
	return sh.letters >= 4 && sh.digits == 0 && sh.others == 0 && sh.ats == 0 && sh.slashes == 0 && sh.underscores == 0 &&
		sh.spaces >= 1 && sh.spaces <= 3 && len(text) <= 40
}

// icd reports ICD-10 codes of three characters, and longer ones without the full
// stop: a letter and digits.
func icd(c []byte, sh *shape) bool {
	return sh.hyphens == 0 && c[0] >= 'A' && c[0] <= 'Z' && sh.letters == 1 && len(c) <= 6
}

// icdDotted reports ICD-10 codes: a letter, two digits, a full stop, up to four
// digits, of which the first may be an x.
func icdDotted(text []byte) bool {
	if len(text) < 5 || text[0]|0x20 < 'a' || text[0]|0x20 > 'z' || text[3] != '.' {
		return false
	}
	for i, b := range text[1:] {
		if i != 2 && (b < '0' || b > '9') && !(i == 3 && b|0x20 == 'x') {
			return false
		}
	}
	return true
}

// nothing lists words that stand for a missing value.
var nothing = [...]string{
	"无", "空", "未知", "不详", "暂无", "没有", "未填", "未填写", "不明", "待补", "待补充", "缺失", "保密",
	"-", "--", "---", "/", ".", "?", "??", "*", "#N/A", "\\N", "N/A", "NA", "NULL", "NONE", "NAN", "NIL", "UNKNOWN",
}

func blank(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	if len(text) > 12 {
		return false
	}
	for _, word := range nothing {
		if len(word) == len(text) && (string(text) == word || text[0] < 0x80 && bytes.EqualFold(text, []byte(word))) {
			return true
		}
	}
	return false
}
