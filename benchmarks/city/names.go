package city

import "unicode/utf8"

// The commonest first: front prefers the head of a list.
const surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕" +
	"苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文"

var compoundSurnames = []string{"欧阳", "上官", "司马", "诸葛", "慕容", "尉迟", "皇甫", "东方", "令狐", "司徒"}

const (
	maleGiven = "伟强磊军洋勇杰涛明超刚平辉鹏华飞斌波宇浩凯健俊帆鑫亮成龙建国文志东海峰林旭宁泽博一子轩昊然睿" +
		"哲嘉毅恒瑞庆云祥福春生永贵德忠义仁正安民新光天晨阳"
	femaleGiven = "芳娜敏静丽艳娟霞秀英玲桂兰红梅燕萍颖琳雪慧莹倩婷欣怡梓涵雨佳琪悦彤诗语馨月晓蕾洁薇丹凤珍淑" +
		"云莲春荣爱华玉蓉瑶思宁可心若菲依嘉妍舒"
)

var (
	minorityMale   = []string{"买买提", "艾力", "阿卜杜拉", "吐尔洪", "巴图", "努尔兰", "叶尔兰", "艾合买提", "库尔班", "苏力坦"}
	minorityFemale = []string{"阿依古丽", "迪丽热巴", "古丽娜尔", "热依汗", "其其格", "阿依努尔", "帕提曼", "玛依拉", "乌兰图雅", "娜仁花"}
)

// runes3 is the rune at a position of a list of three-byte characters.
func runes3(list string, i int) string { return list[3*i : 3*i+3] }

// appendName draws a name: about 12 in 1000 are of two parts joined by a dot, 5
// in 1000 have a compound surname.
func appendName(dst []byte, s *source, male bool) []byte {
	given, minority := femaleGiven, minorityFemale
	if male {
		given, minority = maleGiven, minorityMale
	}
	switch {
	case s.chance(120):
		dst = append(dst, minority[s.below(len(minority))]...)
		dst = utf8.AppendRune(dst, '·')
		return append(dst, minorityMale[s.below(len(minorityMale))]...)
	case s.chance(50):
		dst = append(dst, compoundSurnames[s.below(len(compoundSurnames))]...)
	default:
		dst = append(dst, runes3(surnames, s.front(len(surnames)/3))...)
	}
	dst = append(dst, runes3(given, s.below(len(given)/3))...)
	if s.chance(8300) {
		dst = append(dst, runes3(given, s.below(len(given)/3))...)
	}
	return dst
}

// mobilePrefixes are in use by the three carriers.
const mobilePrefixes = "130131132133134135136137138139150151152155156157158159176177178180181182183185186187188189191198199"

func appendPhone(dst []byte, s *source) []byte {
	p := s.below(len(mobilePrefixes) / 3)
	dst = append(dst, mobilePrefixes[3*p:3*p+3]...)
	return appendDigits(dst, s.below(100_000_000), 8)
}

// appendDigits writes n with leading zeros, width digits in all.
func appendDigits(dst []byte, n, width int) []byte {
	at := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := at + width - 1; i >= at; i-- {
		dst[i] += byte(n % 10)
		n /= 10
	}
	return dst
}
