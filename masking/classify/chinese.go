package classify

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yumen-project/yumen/masking/identifier"
)

// chinese judges a value with Han characters.
func (s *scanner) chinese(text []byte) signs {
	sh := &s.shape
	var g signs
	if sh.digits+sh.letters >= 4 && sh.han <= 2 && sh.runes <= 10 {
		if identifier.CheckPlate(upperASCII(text)) == "" {
			return sPlate
		}
	}
	if sh.runes <= 6 && sh.digits == 0 && sh.letters == 0 {
		g |= shortWord(text)
	}
	if g == 0 && sh.digits == 0 && sh.letters == 0 && sh.runes <= 24 && s.personal(text) {
		g |= sName
	}
	if sh.digits == 0 || sh.runes <= 64 {
		if s.org(text) {
			g |= sOrg
		}
		if s.disease(text) {
			g |= sDisease
		}
	}
	if g&(sOrg|sDisease) == 0 {
		g |= s.place(text)
	}
	if g&(sRegionName|sOrg|sDisease) != 0 {
		g &^= sName
	}
	return g
}

func upperASCII(text []byte) []byte {
	for i, b := range text {
		if b >= 'a' && b <= 'z' {
			text[i] = b - 'a' + 'A'
		}
	}
	return text
}

// shortWord knows the words of the small dictionaries.
func shortWord(text []byte) signs {
	t := string(text)
	switch t {
	case "男", "女", "男性", "女性":
		return sGender
	case "是", "否", "有":
		return sBool
	case "未婚", "已婚", "离异", "离婚", "丧偶", "初婚", "再婚", "复婚", "有配偶", "未说明":
		return sMarital
	}
	if word := strings.TrimSuffix(t, "族"); word != "" && strings.Contains(peoples, "_"+word+"_") {
		if word != t || len(t) > 6 {
			return sEthnic
		}
	}
	return 0
}

// peoples are the 56 nationalities, GB/T 3304.
const peoples = "_汉_蒙古_回_藏_维吾尔_苗_彝_壮_布依_朝鲜_满_侗_瑶_白_土家_哈尼_哈萨克_傣_黎_傈僳_佤_畲_高山_拉祜_水_东乡_纳西_景颇_柯尔克孜_土_" +
	"达斡尔_仫佬_羌_布朗_撒拉_毛南_仡佬_锡伯_阿昌_普米_塔吉克_怒_乌孜别克_俄罗斯_鄂温克_德昂_保安_裕固_京_塔塔尔_独龙_鄂伦春_赫哲_门巴_珞巴_基诺_"

// organs are what the names of organisations end with.
var organs = [...]string{
	"公司", "集团", "银行", "医院", "学校", "大学", "学院", "中学", "小学", "幼儿园", "委员会", "管理局", "事务所", "研究院", "研究所", "中心", "分行", "支行", "营业部",
	"合作社", "经营部", "商行", "工厂", "厂", "协会", "商店", "超市", "饭店", "酒店", "餐厅", "卫生院", "诊所", "药房", "人民政府", "派出所", "法院", "检察院", "财政局", "公安局",
	"税务局", "教育局", "民政局", "局", "出版社", "工作室", "联合会", "基金会", "个体工商户", "分公司", "有限合伙", "总站", "门市部", "服务部", "加工部", "便利店", "理发店", "养殖场", "农场", "居委会", "村委会",
}

func (s *scanner) org(text []byte) bool {
	text = bytes.TrimRight(text, ")）")
	if r, _ := utf8.DecodeLastRune(text); s.han.of(r)&organMark == 0 || utf8.RuneCount(text) < 4 {
		return false
	}
	for _, end := range organs {
		if len(text) > len(end) && string(text[len(text)-len(end):]) == end {
			return true
		}
	}
	return false
}

// ailments are what the names of diseases end with, or hold.
var ailments = [...]string{"病", "炎", "癌", "瘤", "症", "征", "综合征", "骨折", "感染", "中毒", "出血", "梗死", "梗塞", "衰竭", "结石", "溃疡", "肝硬化", "哮喘", "过敏", "损伤", "增生", "贫血", "障碍", "高血压", "扭伤", "早搏", "偏瘫", "白内障", "近视", "心绞痛", "肿", "疝", "痔", "疮", "疹", "脱出", "突出", "咳嗽", "发热", "腹痛", "头痛", "囊肿", "息肉", "妊娠", "流产", "失眠", "眩晕"}

func (s *scanner) disease(text []byte) bool {
	sh := &s.shape
	if sh.han < 2 || sh.runes > 30 {
		return false
	}
	if s.han.of(sh.last)&ailmentMark != 0 {
		for _, end := range ailments {
			if len(text) >= len(end) && string(text[len(text)-len(end):]) == end {
				return true
			}
		}
	}
	if sh.han < 3 {
		return false
	}
	for _, stem := range [...]string{"糖尿病", "冠心病", "高血压", "综合征", "术后"} {
		if bytes.Contains(text, []byte(stem)) {
			return true
		}
	}
	return false
}

// Marks of places: regions, and what is finer than a region.
const (
	regionMarks = "省市区县旗州盟"
	fineMarks   = "路街巷弄号栋幢室楼村屯组镇乡里园苑庄座层道桥"
)

// place tells addresses from names of regions.
func (s *scanner) place(text []byte) signs {
	sh := &s.shape
	if sh.han < 2 || sh.runes > 80 {
		return 0
	}
	regions, fine, numbered, at := 0, 0, false, 0
	prev := rune(0)
	for i, r := range string(text) {
		switch m := s.han.of(r); {
		case m&regionMark != 0:
			if at > 0 {
				regions++
			}
		case m&fineMark != 0:
			if at > 0 {
				fine++
			}
			numbered = numbered || unicode.IsDigit(prev) || prev >= 'A' && prev <= 'Z'
		}
		prev = r
		at = i + 1
	}
	tail := s.han.of(sh.last)&(regionMark|fineMark) != 0
	switch {
	case sh.commas > 0 && sh.han > 30 || sh.ats > 0:
		return 0
	case numbered && regions+fine >= 2 && sh.runes >= 5, fine >= 2 && regions >= 1, fine >= 3, regions >= 2 && sh.digits > 0 && sh.runes > 8:
		return sAddress
	case regions >= 1 && fine >= 1 && tail:
		return sWeakAddress | sRegionName
	case fine >= 1 && (tail || sh.digits > 0):
		return sWeakAddress
	case regions >= 1 && tail && sh.digits == 0, provinceName(text, sh):
		return sRegionName
	}
	return 0
}

const provinces = "_北京_天津_河北_山西_内蒙古_辽宁_吉林_黑龙江_上海_江苏_浙江_安徽_福建_江西_山东_河南_湖北_湖南_广东_广西_海南_重庆_四川_贵州_云南_西藏_陕西_甘肃_青海_宁夏_新疆_台湾_香港_澳门_"

func provinceName(text []byte, sh *shape) bool {
	return sh.han == sh.runes && strings.Contains(provinces, "_"+string(text)+"_")
}

// embedded finds a phone, a resident number or a mail address within text.
func (s *scanner) embedded(text []byte) bool {
	start := -1
	for i := 0; i <= len(text); i++ {
		if i < len(text) && (text[i] >= '0' && text[i] <= '9' || start >= 0 && i-start == 17 && text[i]|0x20 == 'x') {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && s.known(text[start:i]) {
			return true
		}
		start = -1
	}
	if s.shape.ats == 0 {
		return false
	}
	at := bytes.IndexByte(text, '@')
	from, to := at, at+1
	for from > 0 && text[from-1] < utf8.RuneSelf && text[from-1] > ' ' && text[from-1] != ':' {
		from--
	}
	for to < len(text) && text[to] < utf8.RuneSelf && text[to] > ' ' && text[to] != ',' && text[to] != ';' {
		to++
	}
	return identifier.CheckEmail(text[from:to]) == ""
}

func (s *scanner) known(run []byte) bool {
	switch len(run) {
	case 11:
		return identifier.CheckMobile(run) == ""
	case 18:
		var buf [18]byte
		copy(buf[:], run)
		if buf[17] == 'x' {
			buf[17] = 'X'
		}
		return s.resident(buf[:])
	}
	return false
}
