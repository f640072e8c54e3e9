package classify

import (
	"strings"
	"unicode/utf8"
)

// surnames of one character: those of the census with all but a fraction of the
// population, and further ones of the old list.
const surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文" +
	"庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺云水肖闫佘邝骆严寇巴麻麦危占满闻戈区尚幸敬荣车相佘祖经富邰贡劳逄姬"

// compound surnames.
const compounds = "_欧阳_上官_司马_诸葛_慕容_尉迟_皇甫_东方_令狐_司徒_夏侯_公孙_轩辕_端木_独孤_南宫_宇文_长孙_闻人_澹台_公冶_太叔_申屠_仲孙_钟离_鲜于_闾丘_亓官_司空_完颜_呼延_赫连_百里_东郭_西门_第五_拓跋_纳兰_爱新_叶赫_"

// tails end words that are no names of persons.
const tails = "市县区省镇乡村路街巷店部局科室院校厂司社站馆所处组班级色族类型费率币号码期间款单品式业工员师长生化性法权额量度机器件项目票证书金税险贷房车器料店厅寺山河湖江海岛站线网卡版表页门桥港楼城园场家户人们的了着吗呢是否个等其以及或与在为被把从到"

// goodTails may end a name although they stand in tails.
const goodTails = "海江山河园城长生金化法权度村员家人"

// commonWords begin like a name and are none.
const commonWords = "_高中_初中_中专_大专_大学_本科_高级_中级_成功_安装_任务_时间_时尚_方便_全部_付款_和平_平安_安全_安静_万元_石油_石化_金融_金属_金色_白色_黄色_明细_水果_水电_马路_高温_高速_高铁_高新_高等_何时_关闭_关注_包装_包邮_" +
	"温度_温馨_游戏_游泳_路由_花园_花店_米粉_米饭_牛奶_牛肉_麦片_麻辣_毛巾_毛衣_荣誉_华为_华东_华南_华北_华中_华西_单位_单身_冷冻_冷藏_冷链_计算_计划_计件_应届_应收_应付_原价_原因_经济_经理_经营_富裕_常规_常用_常住_成人_成品_成本_" +
	"管理_宣传_党员_党派_群众_连续_简单_来源_来电_向上_向下_解决_解除_符合_程序_项目_文化_文档_文科_方案_方法_方式_易碎_曾用_元旦_申请_申报_相关_相同_明天_明显_乐器_云南_云端_江苏_江西_江南_陶瓷_阳光_"

// personal reports what may be the name of a person: a surname and one or two
// characters, a compound surname and one or two, two surnames and two, or parts
// joined by middle dots.
func (s *scanner) personal(text []byte) bool {
	sh := &s.shape
	if dotted(text, sh) {
		return true
	}
	var r [5]rune
	n := 0
	for _, c := range string(text) {
		if c == ' ' {
			continue
		}
		if n == len(r) {
			return false
		}
		r[n] = c
		n++
	}
	if n < 2 || n > 4 || sh.han != n || sh.others+sh.dots+sh.commas+sh.slashes+sh.hyphens > 0 {
		return false
	}
	if m := s.han.of(sh.last); m&tailMark != 0 && (n == 2 || m&goodMark == 0) {
		return false
	}
	plain := s.han.of(r[0])&surnameMark != 0
	if n == 3 && plain {
		return true
	}
	front := "_" + string(r[:2]) + "_"
	switch {
	case n != 3 && strings.Contains(commonWords, front):
		return false
	case n >= 3 && strings.Contains(compounds, front):
		return true
	}
	return plain && (n == 2 || n == 4 && s.han.of(r[1])&surnameMark != 0)
}

// dotted reports Han parts joined by middle dots: 阿依古丽·买买提.
func dotted(text []byte, sh *shape) bool {
	if sh.han < 3 || sh.others < 1 && sh.dots < 1 || sh.spaces > 2 {
		return false
	}
	dots, part := 0, 0
	for _, r := range string(text) {
		switch r {
		case '·', '•', '‧', '・', '･', '⸱', '●', '∙', '⋅', '.':
			if part == 0 {
				return false
			}
			dots, part = dots+1, 0
		case ' ':
		default:
			if utf8.RuneLen(r) < 3 {
				return false
			}
			part++
		}
	}
	return dots >= 1 && dots <= 4 && part > 0
}
