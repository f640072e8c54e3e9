package classify_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/yumen-project/yumen/masking/classify"
)

// The corpus is made from its own lists and its own check characters, not from
// those of the package, so that it does not repeat the package's mistakes.

// labelled is a column with the truth about it.
type labelled struct {
	header string
	values []string
	want   classify.Type
	mixed  []classify.Type // when it is a mixed column
	note   string
}

type maker struct {
	*rand.Rand
	variant bool // the held-out generator: other lists, forms, dirt
}

func pick[T any](m *maker, of []T) T { return of[m.IntN(len(of))] }

func (m *maker) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + m.IntN(10))
	}
	return string(b)
}

func (m *maker) chars(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	upperLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	hexLetters   = "0123456789abcdef"
	creditChars  = "0123456789ABCDEFGHJKLMNPQRTUWXY"
)

func mod11(s string) string {
	sum := 0
	for i := range 17 {
		sum += int(s[i]-'0') * (1 << (17 - i) % 11)
	}
	return string("10X98765432"[sum%11])
}

func mod31(s string) string {
	sum, p := 0, 1
	for i := range 17 {
		sum += strings.IndexByte(creditChars, s[i]) * p
		p = p * 3 % 31
	}
	return string(creditChars[(31-sum%31)%31])
}

func luhnDigit(s string) string {
	for d := byte('0'); d <= '9'; d++ {
		sum, full := 0, s+string(d)
		for i := range len(full) {
			v := int(full[len(full)-1-i] - '0')
			if i%2 == 1 {
				v *= 2
				v = v/10 + v%10
			}
			sum += v
		}
		if sum%10 == 0 {
			return string(d)
		}
	}
	return "0"
}

func icao(s string) string {
	sum := 0
	for i := range len(s) {
		v := int(s[i] - '0')
		if s[i] >= 'A' {
			v = int(s[i]) - 55
		}
		sum += v * []int{7, 3, 1}[i%3]
	}
	return string(byte('0' + sum%10))
}

func (m *maker) day(from, to int) (y, mo, d int) {
	return from + m.IntN(to-from+1), 1 + m.IntN(12), 1 + m.IntN(28)
}

func (m *maker) ymd(from, to int) string {
	y, mo, d := m.day(from, to)
	return fmt.Sprintf("%04d%02d%02d", y, mo, d)
}

var realRegions = strings.Fields("110101 110105 120104 130102 140105 150202 210102 211302 220202 220203 220281 222401 230102 310104 320506 330106 341221 350203 360111 370102 371302 410105 420106 430104 440305 441900 450102 460105 500112 511702 513221 520103 522601 530102 532901 540102 610113 620102 623021 630104 640104 650102 653101 654002 659001")

func (m *maker) resident() string {
	s := pick(m, realRegions) + m.ymd(1935, 2007) + m.digits(3)
	s += mod11(s)
	if m.IntN(8) == 0 {
		s = strings.ToLower(s)
	}
	return s
}

func (m *maker) childID() string {
	s := pick(m, realRegions) + m.ymd(2012, 2024) + m.digits(3)
	return s + mod11(s)
}

func (m *maker) resident15() string {
	return pick(m, realRegions) + m.ymd(1930, 1979)[2:] + m.digits(3)
}

func (m *maker) credit() string {
	s := pick(m, []string{"91", "92", "93", "11", "12", "51", "52", "53", "54", "N1", "Y1", "81"}) + pick(m, realRegions) + m.chars(creditChars, 9)
	return s + mod31(s)
}

func (m *maker) card() string {
	var s string
	switch m.IntN(8) {
	case 0, 1, 2, 3:
		s = "62" + m.digits(16)
	case 4:
		s = "62" + m.digits(13)
	case 5:
		s = "4" + m.digits(14)
	case 6:
		s = fmt.Sprint(51+m.IntN(5)) + m.digits(13)
	default:
		s = "955880" + m.digits(12)
	}
	return s + luhnDigit(s)
}

func (m *maker) imei() string {
	s := pick(m, []string{"35", "86", "01", "99"}) + m.digits(12)
	return s + luhnDigit(s)
}

func (m *maker) permanent() string {
	if m.IntN(2) == 0 {
		s := "9" + pick(m, realRegions)[:2] + pick(m, []string{"840", "392", "410", "124", "826", "036"}) + m.ymd(1940, 2010) + m.digits(3)
		return s + mod11(s)
	}
	s := pick(m, []string{"USA", "JPN", "KOR", "CAN", "GBR", "AUS", "DEU"}) + pick(m, realRegions)[:4] + m.ymd(1940, 2010)[2:] + m.digits(1)
	return s + icao(s)
}

func (m *maker) mobile() string {
	s := pick(m, strings.Fields("130 131 135 136 137 138 139 147 150 151 158 159 166 170 176 178 180 185 186 187 188 189 191 195 198 199")) + m.digits(8)
	switch m.IntN(12) {
	case 0:
		s = "+86 " + s
	case 1:
		s = s[:3] + "-" + s[3:7] + "-" + s[7:]
	case 2:
		if m.variant {
			s = "86" + s
		}
	}
	return s
}

func (m *maker) landline() string {
	area := pick(m, []string{"010", "021", "0432", "0431", "0755", "024", "0571"})
	local := fmt.Sprint(2+m.IntN(7)) + m.digits(6)
	if len(area) == 3 || m.IntN(2) == 0 {
		local += m.digits(1)
	}
	switch m.IntN(3) {
	case 0:
		return area + local
	case 1:
		return "(" + area + ")" + local
	}
	return area + "-" + local
}

func (m *maker) passport() string {
	switch m.IntN(4) {
	case 0:
		return "E" + m.chars("ABCDEFGHJKLM", 1) + m.digits(7)
	case 1:
		return "G" + m.digits(8)
	}
	return "E" + m.digits(8)
}

func (m *maker) hkmo() string {
	if m.IntN(5) == 0 {
		return pick(m, []string{"H", "M"}) + m.digits(10)
	}
	return pick(m, []string{"H", "H", "M"}) + m.digits(8)
}

const provinceChars = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"

func (m *maker) plate() string {
	p := string(pick(m, []rune(provinceChars))) + m.chars("ABCDEFGH", 1)
	if m.IntN(3) == 0 {
		p += pick(m, []string{"", "·"})
	}
	const safe = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	switch m.IntN(4) {
	case 0:
		return p + pick(m, []string{"D", "F", "A"}) + m.digits(5)
	case 1:
		return p + m.digits(2) + m.chars(safe, 1) + m.digits(2)
	case 2:
		return p + m.chars(safe, 1) + m.digits(4)
	}
	return p + m.digits(5)
}

const (
	surnamesA = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦"
	surnamesB = "江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房"
	givenA    = "伟强磊军洋勇杰涛明超刚平辉鹏华飞斌波宇浩凯健俊帆鑫亮成龙建国文志东海峰林旭宁泽博一子轩昊然睿芳娜敏静丽艳娟霞秀英玲桂兰红梅燕萍颖琳雪慧莹倩婷欣怡梓涵雨佳琪悦彤诗语馨月晓蕾洁薇丹凤珍淑"
	givenB    = "荣贵福生元全胜才发武良茂进有坚和彪诚先敬震振壮会思群豪心邦承乐绍功松善厚裕河哲江毅沐嘉雯钰芮奕辰煜柠舒苒朵瑾萱蕙芸菲茹黛岚苑婕瑗娅咏卿聪澜纯毓悠昭冰爽琬茗羽希宁桐彦"
)

func (m *maker) name() string {
	sur, given := surnamesA, givenA
	if m.variant {
		sur, given = surnamesA+surnamesB, givenA+givenB
	}
	s := string(pick(m, []rune(sur)))
	switch m.IntN(40) {
	case 0:
		return pick(m, []string{"阿依古丽", "买买提", "迪丽热巴", "努尔兰"}) + "·" + pick(m, []string{"艾力", "吐尔洪", "库尔班", "阿卜杜拉"})
	case 1:
		s = pick(m, []string{"欧阳", "上官", "司马", "诸葛", "慕容", "皇甫", "令狐"})
	}
	s += string(pick(m, []rune(given)))
	if m.IntN(5) != 0 {
		s += string(pick(m, []rune(given)))
	}
	if m.variant && m.IntN(10) == 0 && len(s) == 6 {
		s = s[:3] + "　" + s[3:]
	}
	return s
}

var (
	citiesA = []string{"吉林省吉林市", "吉林省长春市", "北京市", "广东省深圳市", "浙江省杭州市", "四川省成都市", "江苏省苏州市"}
	citiesB = []string{"湖北省武汉市", "陕西省西安市", "内蒙古自治区赤峰市", "新疆维吾尔自治区伊犁哈萨克自治州", "上海市", "山东省青岛市", "福建省泉州市"}
	areas   = []string{"昌邑区", "船营区", "朝阳区", "南山区", "西湖区", "武侯区", "永吉县", "舒兰市", "高新区", "丰满区"}
	roads   = []string{"解放东路", "重庆街", "人民大街", "中山路", "建设街", "光华路", "和平里", "文化路", "松江中路", "珲春街"}
	estates = []string{"阳光花园", "锦绣小区", "紫荆苑", "万科城", "丽江家园", "铁路宿舍"}
)

func (m *maker) address() string {
	cities := citiesA
	if m.variant {
		cities = append(citiesB, citiesA...)
	}
	s := pick(m, cities) + pick(m, areas)
	switch m.IntN(4) {
	case 0:
		return s + pick(m, roads) + fmt.Sprint(1+m.IntN(300)) + "号"
	case 1:
		return pick(m, areas) + pick(m, estates) + fmt.Sprintf("%d栋%d单元%d室", 1+m.IntN(30), 1+m.IntN(4), 101+m.IntN(900))
	case 2:
		return s + pick(m, []string{"江密峰镇", "大口钦镇", "缸窑镇", "金沙乡"}) + pick(m, []string{"前进村", "向阳村", "太平村"}) + fmt.Sprint(1+m.IntN(9)) + "组"
	}
	return s + pick(m, roads) + fmt.Sprint(1+m.IntN(300)) + "号" + pick(m, estates) + fmt.Sprintf("%d-%d-%d", 1+m.IntN(30), 1+m.IntN(4), 101+m.IntN(900))
}

func (m *maker) email() string {
	return m.chars(lowerLetters, 3+m.IntN(8)) + pick(m, []string{"", ".", "_"}) + m.digits(1+m.IntN(4)) + "@" + pick(m, []string{"qq.com", "163.com", "example.com.cn", "gmail.com", "jl.gov.cn"})
}

func (m *maker) ipv4() string {
	return fmt.Sprintf("%d.%d.%d.%d", 1+m.IntN(223), m.IntN(256), m.IntN(256), m.IntN(256))
}

func (m *maker) ipv6() string {
	if m.IntN(2) == 0 {
		return "2001:db8::" + m.chars(hexLetters, 4) + ":" + m.chars("123456789abcdef", 3)
	}
	parts := make([]string, 8)
	for i := range parts {
		parts[i] = m.chars(hexLetters, 4)
	}
	return strings.Join(parts, ":")
}

func (m *maker) mac() string {
	parts := make([]string, 6)
	for i := range parts {
		parts[i] = m.chars(hexLetters, 2)
	}
	s := strings.Join(parts, pick(m, []string{":", "-"}))
	if m.variant {
		s = strings.ToUpper(s)
	}
	return s
}

func (m *maker) org() string {
	return pick(m, []string{"吉林", "松江", "北方", "长白山", "江城", "东北亚"}) + pick(m, []string{"市", "", "省", ""}) + pick(m, []string{"恒信", "盛达", "宏图", "博远", "鑫源", "瑞丰", "天成"}) +
		pick(m, []string{"科技有限公司", "商贸有限责任公司", "建筑工程集团", "餐饮管理有限公司", "物流股份有限公司", "人力资源服务中心", "超市", "中心医院"})
}

var diseases = []string{"高血压", "2型糖尿病", "冠心病", "急性支气管炎", "慢性胃炎", "脑梗死", "肺癌", "肝硬化", "腰椎间盘突出", "骨关节炎", "甲状腺结节", "过敏性鼻炎", "缺铁性贫血", "抑郁症", "带状疱疹", "胆囊结石", "胫骨骨折", "白内障", "支气管哮喘", "尿路感染"}

func (m *maker) icd() string {
	return m.chars("ABCDEFGHIJKLMN", 1) + m.digits(2) + "." + pick(m, []string{m.digits(1), "x00", m.digits(3), m.digits(1) + "00"})
}

func (m *maker) date(from, to int) string {
	y, mo, d := m.day(from, to)
	switch {
	case m.variant && m.IntN(2) == 0:
		return fmt.Sprintf("%d年%d月%d日", y, mo, d)
	case m.IntN(3) == 0:
		return fmt.Sprintf("%04d/%d/%d", y, mo, d)
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, mo, d)
}

func (m *maker) sentence() string {
	return pick(m, []string{"来电咨询办理流程，", "群众反映小区供暖问题，", "申请材料缺少证明，", "已电话回访确认，"}) + pick(m, []string{"工作人员已经现场处理完毕。", "请尽快联系相关部门核实情况。", "需要补充提交材料后再次受理。", "对处理结果表示满意，无其他诉求。"}) + fmt.Sprint(m.IntN(1000))
}
