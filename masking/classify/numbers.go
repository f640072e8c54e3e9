package classify

// numbers judges what reads as a number, a date or a pair of coordinates.
func (s *scanner) numbers(text []byte) signs {
	sh := &s.shape
	if sh.digits == 0 || len(text) > 40 {
		return 0
	}
	if sh.digits >= 3 && (dateText(text) || chineseDate(text)) {
		return sDate
	}
	if sh.han == 0 && sh.letters == 0 && sh.dots == 2 && sh.commas+sh.spaces+sh.slashes > 0 {
		return pair(text)
	}
	n, rest, money := amount(text)
	if rest < 0 {
		return 0
	}
	g := sNumber
	if money {
		g |= sMoney
	}
	return g | n.signs()
}

// decimal is a number as far as it matters here.
type decimal struct {
	whole    int64 // cut at 10^15
	places   int
	fraction bool // some place after the point is not 0
	negative bool
}

func (d decimal) signs() signs {
	var g signs
	if !d.fraction && d.places <= 1 && !d.negative && d.whole <= 120 {
		g |= sAge
		if d.whole < 18 {
			g |= sChildAge
		}
	}
	if d.places >= 3 && !d.negative {
		if d.whole >= 3 && d.whole < 54 {
			g |= sLatitude
		}
		if d.whole >= 73 && d.whole < 136 {
			g |= sLongitude
		}
	}
	return g
}

// read reads a decimal at the front of text and returns how many bytes it took,
// 0 for none.
func (d *decimal) read(text []byte) int {
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		d.negative = text[i] == '-'
		i++
	}
	digits, point := 0, false
	for ; i < len(text); i++ {
		b := text[i]
		switch {
		case b >= '0' && b <= '9':
			digits++
			if point {
				d.places++
				d.fraction = d.fraction || b != '0'
			} else if d.whole < 1e15 {
				d.whole = d.whole*10 + int64(b-'0')
			}
			continue
		case b == '.' && !point && digits > 0:
			point = true
			continue
		case b == ',' && !point && digits > 0 && i+3 < len(text)+0 && thousands(text[i+1:]):
			continue
		}
		break
	}
	if digits == 0 {
		return 0
	}
	return i
}

// thousands reports three digits that no fourth follows.
func thousands(text []byte) bool {
	for i := range 3 {
		if i >= len(text) || text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return len(text) == 3 || text[3] < '0' || text[3] > '9'
}

// amount reads a number with an optional sign of a currency. rest is -1 when
// something else is there too.
func amount(text []byte) (d decimal, rest int, money bool) {
	for _, mark := range [...]string{"￥", "¥", "$", "RMB", "CNY"} {
		if len(text) > len(mark) && string(text[:len(mark)]) == mark {
			text, money = text[len(mark):], true
			break
		}
	}
	for len(text) > 0 && text[0] == ' ' {
		text = text[1:]
	}
	n := d.read(text)
	if n == 0 {
		return d, -1, false
	}
	text = text[n:]
	for len(text) > 0 && text[0] == ' ' {
		text = text[1:]
	}
	switch string(text) {
	case "":
		return d, 0, money
	case "元", "万元", "万", "亿元", "元/月", "元整", "RMB", "CNY":
		return d, 0, true
	case "岁", "周岁":
		return d, 0, false
	case "%", "个", "次", "㎡", "平方米", "人", "天", "月", "年", "户", "台", "套", "kg", "cm", "公里":
		d.whole = 1 << 40 // a quantity, no age
		return d, 0, false
	}
	return d, -1, false
}

// pair reads longitude and latitude, in either order.
func pair(text []byte) signs {
	var a, b decimal
	n := a.read(text)
	if n == 0 {
		return 0
	}
	rest := text[n:]
	for len(rest) > 0 && (rest[0] == ',' || rest[0] == ' ' || rest[0] == '/' || rest[0] == ';') {
		rest = rest[1:]
	}
	if m := b.read(rest); m == 0 || m != len(rest) {
		return 0
	}
	x, y := a.signs(), b.signs()
	if x&sLongitude != 0 && y&sLatitude != 0 || x&sLatitude != 0 && y&sLongitude != 0 {
		return sPair
	}
	return 0
}

// day8 reports yyyymmdd of the years 1900 to 2099.
func day8(c []byte) bool {
	for _, b := range c[:8] {
		if b < '0' || b > '9' {
			return false
		}
	}
	year, month, day := digitsOf(c[:4]), digitsOf(c[4:6]), digitsOf(c[6:8])
	return year >= 1900 && year <= 2099 && dayOf(month, day)
}

func dayOf(month, day int) bool {
	days := [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	return month >= 1 && month <= 12 && day >= 1 && day <= days[month-1]
}

// clock reports hhmmss.
func clock(c []byte) bool {
	return digitsOf(c[:2]) < 24 && digitsOf(c[2:4]) < 60 && digitsOf(c[4:6]) < 61
}

// dateText reports 2006-01-02, 2006/1/2, 2006.1.2, with a time or without, and
// 02/01/2006.
func dateText(text []byte) bool {
	var part [3]int
	var width [3]int
	k, mark := 0, byte(0)
	i := 0
	for ; i < len(text); i++ {
		b := text[i]
		if b >= '0' && b <= '9' {
			if width[k]++; width[k] > 4 {
				return false
			}
			part[k] = part[k]*10 + int(b-'0')
			continue
		}
		if k == 2 {
			break
		}
		if width[k] == 0 || b != '-' && b != '/' && b != '.' || mark != 0 && b != mark {
			return false
		}
		mark = b
		k++
	}
	if k != 2 || width[2] == 0 {
		return false
	}
	if i < len(text) && text[i] != ' ' && text[i] != 'T' {
		return false
	}
	if i < len(text) && !clockText(text[i+1:]) {
		return false
	}
	if width[0] == 4 {
		return part[0] >= 1800 && part[0] <= 2199 && width[1] <= 2 && width[2] <= 2 && dayOf(part[1], part[2])
	}
	return width[2] == 4 && width[0] <= 2 && width[1] <= 2 && part[2] >= 1800 && part[2] <= 2199 && mark != '.' &&
		(dayOf(part[0], part[1]) || dayOf(part[1], part[0]))
}

func clockText(text []byte) bool {
	return len(text) >= 4 && (text[1] == ':' || text[2] == ':') && text[0] >= '0' && text[0] <= '9'
}

// chineseDate reports 2006年1月2日 and 2006年1月.
func chineseDate(text []byte) bool {
	const year, month = "年", "月"
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	if n != 4 || len(text) < 8 || string(text[4:7]) != year {
		return false
	}
	rest := text[7:]
	n = 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	return n >= 1 && n <= 2 && len(rest) >= n+3 && string(rest[n:n+3]) == month
}
