package classify_test

import (
	"fmt"
	"strings"

	"github.com/yumen-project/yumen/masking/classify"
)

// dirt spoils about the given share of the values, in the ways registers are
// spoilt: nothing, words for nothing, one wrong or missing character, test data.
func (m *maker) dirt(values []string, share float64) []string {
	out := append([]string(nil), values...)
	for i := range out {
		if m.Float64() >= share {
			continue
		}
		v := []rune(out[i])
		k := m.IntN(6)
		if m.variant {
			k = m.IntN(8)
		}
		switch k {
		case 0:
			out[i] = ""
		case 1:
			out[i] = pick(m, []string{"无", "未知", "-", "N/A", "不详", "NULL"})
		case 2:
			out[i] = "\x00null"
		case 3: // one digit wrong
			at := m.IntN(len(v))
			if v[at] >= '0' && v[at] <= '9' {
				v[at] = '0' + (v[at]-'0'+1+rune(m.IntN(8)))%10
			} else {
				v = append(v, v[at])
			}
			out[i] = string(v)
		case 4:
			if len(v) > 1 {
				at := m.IntN(len(v))
				v = append(v[:at], v[at+1:]...)
			}
			out[i] = string(v)
		case 5:
			out[i] = pick(m, []string{"测试", "test", "111111", "同上", "待核实"})
		case 6:
			out[i] = " " + strings.ReplaceAll(out[i], "", "") + " "
		case 7:
			out[i] = "*" + string(v[len(v)/2:])
		}
	}
	return out
}

// family is a type with a way to make its values and the headers it goes under:
// headers of no meaning, of another meaning, and none are put in by columns.
type family struct {
	typ      classify.Type
	make     func(*maker) string
	said     []string // headers that say so
	heldOut  []string // headers of the held-out corpus only
	needs    bool     // cannot be told without a header
	repeated bool     // drawn from few values
}

var blindHeaders = []string{"c1", "col_7", "f3", "field12", "x", "字段3", "数据", "info", "V9", ""}

func families() []family {
	return []family{
		{typ: classify.ResidentID, make: (*maker).resident, said: []string{"身份证号", "sfzh", "id_card_no", "IDNumber"}, heldOut: []string{"公民身份号码", "gmsfhm", "citizenId", "户主身份证号码"}},
		{typ: classify.ResidentID, make: (*maker).resident15, said: []string{"身份证", "sfz"}, heldOut: []string{"旧身份证号"}},
		{typ: classify.CreditCode, make: (*maker).credit, said: []string{"统一社会信用代码", "tyshxydm", "credit_code"}, heldOut: []string{"uscc", "企业信用代码", "unifiedSocialCreditCode"}},
		{typ: classify.BankCard, make: (*maker).card, said: []string{"银行卡号", "yhkh", "bankCardNo"}, heldOut: []string{"工资卡", "card_no", "收款账号"}},
		{typ: classify.IMEI, make: (*maker).imei, said: []string{"IMEI", "设备识别码"}, heldOut: []string{"device_imei", "手机串号"}},
		{typ: classify.Permanent, make: (*maker).permanent, said: []string{"永居证号", "permanent_resident_card"}, heldOut: []string{"外国人永久居留证号", "yjzh"}},
		{typ: classify.Mobile, make: (*maker).mobile, said: []string{"手机号", "dh", "phone", "mobile_no"}, heldOut: []string{"lxdh", "联系电话", "contactPhone", "sjhm"}},
		{typ: classify.Landline, make: (*maker).landline, said: []string{"固定电话", "tel"}, heldOut: []string{"办公电话", "office_phone"}},
		{typ: classify.Passport, make: (*maker).passport, said: []string{"护照号", "passport_no"}, heldOut: []string{"hzhm", "PassportNumber"}},
		{typ: classify.HKMOPermit, make: (*maker).hkmo, said: []string{"港澳通行证", "hk_macau_permit"}, heldOut: []string{"回乡证", "hxzh"}},
		{typ: classify.TWPermit, make: func(m *maker) string { return m.digits(8) }, said: []string{"台胞证号"}, heldOut: []string{"台湾居民来往大陆通行证"}, needs: true},
		{typ: classify.Plate, make: (*maker).plate, said: []string{"车牌号", "cph", "plate_no"}, heldOut: []string{"号牌号码", "licensePlate"}},
		{typ: classify.PersonName, make: (*maker).name, said: []string{"姓名", "xm", "real_name", "name"}, heldOut: []string{"联系人", "custName", "法定代表人", "收货人姓名"}},
		{typ: classify.Address, make: (*maker).address, said: []string{"地址", "jtzz", "home_address"}, heldOut: []string{"户籍地址", "addr", "房屋坐落"}},
		{typ: classify.Email, make: (*maker).email, said: []string{"邮箱", "email"}, heldOut: []string{"dzyx", "mailAddress"}},
		{typ: classify.IPv4, make: (*maker).ipv4, said: []string{"ip", "login_ip"}, heldOut: []string{"IP地址", "clientIp"}},
		{typ: classify.IPv6, make: (*maker).ipv6, said: []string{"ip_addr"}, heldOut: []string{"ipv6_address"}},
		{typ: classify.MAC, make: (*maker).mac, said: []string{"mac", "MAC地址"}, heldOut: []string{"wifi_mac"}},
		{typ: classify.WeChat, make: func(m *maker) string { return m.chars(lowerLetters, 4+m.IntN(5)) + m.digits(3) }, said: []string{"微信号", "wechat"}, heldOut: []string{"wxh"}, needs: true},
		{typ: classify.QQ, make: func(m *maker) string { return fmt.Sprint(1+m.IntN(9)) + m.digits(7+m.IntN(3)) }, said: []string{"QQ", "qq号"}, heldOut: []string{"qq_number"}, needs: true},
		{typ: classify.Account, make: func(m *maker) string { return "P" + m.digits(7) }, said: []string{"工号", "user_id"}, heldOut: []string{"学号", "memberNo"}, needs: true},
		{typ: classify.Health, make: func(m *maker) string { return pick(m, diseases) }, said: []string{"诊断", "disease"}, heldOut: []string{"zdmc", "既往病史"}, repeated: true},
		{typ: classify.Health, make: (*maker).icd, said: []string{"诊断编码", "icd10"}, heldOut: []string{"diagCode"}},
		{typ: classify.Biometric, make: func(m *maker) string { return m.chars(upperLetters+lowerLetters+"0123456789+/", 256) }, said: []string{"指纹模板", "face_feature"}, heldOut: []string{"虹膜", "voiceprint"}, needs: true},
		{typ: classify.Location, make: func(m *maker) string {
			return fmt.Sprintf("12%d.%s,4%d.%s", m.IntN(8), m.digits(6), m.IntN(9), m.digits(6))
		}, said: []string{"坐标", "gps"}, heldOut: []string{"经纬度", "lnglat"}},
		{typ: classify.Location, make: func(m *maker) string { return fmt.Sprintf("4%d.%s", m.IntN(9), m.digits(6)) }, said: []string{"纬度", "lat"}, heldOut: []string{"wd", "gps_latitude"}, needs: true},
		{typ: classify.BirthDate, make: func(m *maker) string { return m.date(1935, 2015) }, said: []string{"出生日期", "csrq", "birthday"}, heldOut: []string{"dateOfBirth", "生日"}, needs: true},
		{typ: classify.BirthDate, make: func(m *maker) string { return m.ymd(1935, 2015) }, said: []string{"出生日期", "birth_date"}, heldOut: []string{"DOB"}, needs: true},
		{typ: classify.Date, make: func(m *maker) string { return m.date(2015, 2026) }, said: []string{"登记日期", "create_time"}, heldOut: []string{"djrq", "updatedAt"}},
		{typ: classify.Date, make: func(m *maker) string { return m.ymd(2015, 2026) }, said: []string{"办理时间"}, heldOut: []string{"trade_date"}},
		{typ: classify.Age, make: func(m *maker) string { return fmt.Sprint(m.IntN(100)) }, said: []string{"年龄", "age"}, heldOut: []string{"nl", "patient_age"}, needs: true},
		{typ: classify.Gender, make: func(m *maker) string { return pick(m, []string{"男", "女"}) }, said: []string{"性别", "xb"}, heldOut: []string{"gender", "sex"}, repeated: true},
		{typ: classify.Ethnicity, make: func(m *maker) string {
			return pick(m, []string{"汉族", "汉族", "满族", "朝鲜族", "蒙古族", "回族"})
		}, said: []string{"民族"}, heldOut: []string{"ethnic_group"}, repeated: true},
		{typ: classify.RegionCode, make: func(m *maker) string { return pick(m, realRegions) }, said: []string{"行政区划代码", "district"}, heldOut: []string{"xzqhdm"}, repeated: true},
		{typ: classify.Money, make: func(m *maker) string { return fmt.Sprintf("%d.%s", 1000+m.IntN(90000), m.digits(2)) }, said: []string{"工资", "amount"}, heldOut: []string{"缴费基数", "totalAmount", "je"}, needs: true},
		{typ: classify.Org, make: (*maker).org, said: []string{"单位名称", "company_name"}, heldOut: []string{"gzdw", "EmployerName"}},
		{typ: classify.FreeText, make: (*maker).sentence, said: []string{"备注", "remark"}, heldOut: []string{"处理意见", "bz"}},
	}
}

// nearMisses look like an identifier and are none.
func nearMisses() []family {
	wrong := func(make func(*maker) string) func(*maker) string {
		return func(m *maker) string {
			v := strings.ToUpper(make(m))
			last := v[len(v)-1]
			for {
				if d := m.digits(1)[0]; d != last {
					return v[:len(v)-1] + string(d)
				}
			}
		}
	}
	luhn := func(front func(*maker) string, n int) func(*maker) string {
		return func(m *maker) string {
			s := front(m)
			s += m.digits(n - len(s))
			return s + luhnDigit(s)
		}
	}
	order := []string{"订单号", "order_no"}
	return []family{
		{typ: classify.Code, make: luhn(func(m *maker) string { return m.ymd(2024, 2026) }, 17), said: order, heldOut: []string{"流水号"}},
		{typ: classify.Code, make: luhn(func(m *maker) string { return fmt.Sprint(1 + m.IntN(9)) }, 15), said: order, heldOut: []string{"ddh"}},
		{typ: classify.Code, make: luhn(func(m *maker) string { return "70" }, 18), said: order, heldOut: []string{"tradeNo"}},
		{typ: classify.Code, make: luhn(func(m *maker) string { return fmt.Sprint(20 + m.IntN(9)) }, 14), said: []string{"设备编号"}, heldOut: []string{"serial_no"}},
		{typ: classify.Code, make: wrong((*maker).resident), said: []string{"编号"}, heldOut: []string{"ref_no"}},
		{typ: classify.Code, make: wrong((*maker).credit), said: []string{"合同号"}, heldOut: []string{"contractNo"}},
		{typ: classify.Code, make: wrong((*maker).card), said: []string{"凭证号"}, heldOut: []string{"voucher_no"}},
		{typ: classify.Code, make: wrong((*maker).imei), said: []string{"批号"}, heldOut: []string{"lot_no"}},
		{typ: classify.Code, make: func(m *maker) string { return m.digits(18) }, said: []string{"流水号"}, heldOut: []string{"transaction_id"}},
		{typ: classify.Code, make: func(m *maker) string { return m.digits(16) }, said: []string{"快递单号"}, heldOut: []string{"waybillNo"}},
		{typ: classify.Code, make: func(m *maker) string { return fmt.Sprint(1+m.IntN(9)) + m.digits(10) }, said: []string{"序号"}, heldOut: []string{"seq"}},
		{typ: classify.Code, make: func(m *maker) string { return m.chars(creditChars, 18) }, said: []string{"房屋编号"}, heldOut: []string{"token"}},
		{typ: classify.Code, make: func(m *maker) string { return m.chars(hexLetters, 64) }, said: []string{"hash"}, heldOut: []string{"sha256"}},
		{typ: classify.Code, make: func(m *maker) string { return "M" + m.ymd(2020, 2026) }, said: []string{"批次"}, heldOut: []string{"batchNo"}},
		{typ: classify.Code, make: func(m *maker) string { return "SP" + m.digits(6) }, said: []string{"商品编码"}, heldOut: []string{"sku"}},
		{typ: classify.Number, make: func(m *maker) string { return fmt.Sprintf("%d.%s", m.IntN(300), m.digits(2)) }, said: []string{"面积"}, heldOut: []string{"score"}},
		{typ: classify.Enum, make: func(m *maker) string { return pick(m, []string{"身份证", "护照", "港澳通行证"}) }, said: []string{"证件类型"}, heldOut: []string{"id_card_type"}, repeated: true},
		{typ: classify.Enum, make: func(m *maker) string { return pick(m, []string{"高中", "大专", "本科", "硕士", "初中"}) }, said: []string{"学历"}, heldOut: []string{"education"}, repeated: true},
		{typ: classify.Enum, make: func(m *maker) string { return pick(m, []string{"白色", "黄色", "蓝色", "银色", "黑色"}) }, said: []string{"颜色"}, heldOut: []string{"brand"}, repeated: true},
		{typ: classify.Boolean, make: func(m *maker) string { return pick(m, []string{"是", "否"}) }, said: []string{"是否参保"}, heldOut: []string{"hasPhone"}, repeated: true},
		{typ: classify.Boolean, make: func(m *maker) string { return pick(m, []string{"Y", "N"}) }, said: []string{"is_valid"}, heldOut: []string{"手机是否验证"}, repeated: true},
	}
}

// labels are words of the kinds that names and addresses are mistaken for.
func labels() []family {
	parts := func(a, b []string) func(*maker) string {
		return func(m *maker) string { return pick(m, a) + pick(m, b) }
	}
	places := strings.Fields("高新 江北 南关 马路 黄河 金沙 石井 白云 龙潭 汪清 和龙 安图 梅河 江源 温泉 华阳 康平 方正 明水 常山 乐山 雷州 武安 孟州 于都 孙吴 连江 林甸 夏津 秦安")
	return []family{
		{typ: classify.RegionName, make: parts(places, []string{"县", "区", "市", "县", "镇"}), said: []string{"所在地"}, heldOut: []string{"city"}},
		{typ: classify.Code, make: parts(strings.Fields("金龙 白象 康师 王老 李宁 华为 方太 安踏 马可 石头 黄鹤 牛栏 毛巾 高露 于氏 陈醋 米老 麦当 乐事 成都"), strings.Fields("鱼油 方便面 矿泉水 电视机 洗衣机 手机壳 T恤 运动鞋 笔记本 电饭煲 奶粉 酱油 香醋 面包 耳机 牙膏")), said: []string{"商品名称"}, heldOut: []string{"productName"}},
		{typ: classify.Enum, make: func(m *maker) string {
			return pick(m, strings.Fields("程序员 会计师 教师 农民 厨师 司机 护士 医生 工程师 保安 保洁员 经理 董事长 律师 公务员 收银员 快递员 焊工 电工 文员"))
		}, said: []string{"职业"}, heldOut: []string{"occupation"}, repeated: true},
		{typ: classify.Enum, make: func(m *maker) string {
			return pick(m, strings.Fields("财务部 人事科 办公室 安全处 计划科 信息中心 党委办 后勤处 质检科 技术部 管理科 宣传部"))
		}, said: []string{"岗位类别"}, heldOut: []string{"category"}, repeated: true},
		{typ: classify.Code, make: func(m *maker) string { return "13" + m.digits(4) }, said: []string{"邮编"}, heldOut: []string{"zipCode"}},
		{typ: classify.Code, make: func(m *maker) string { return "69" + m.digits(11) }, said: []string{"条码"}, heldOut: []string{"ean13"}},
		{typ: classify.Enum, make: func(m *maker) string { return fmt.Sprintf("%d.%d.%d.%d", 1+m.IntN(2), m.IntN(3), m.IntN(3), m.IntN(2)) }, said: []string{"版本"}, heldOut: []string{"app_version"}, repeated: true},
		{typ: classify.Date, make: func(m *maker) string { return fmt.Sprint(1500000000 + m.IntN(280000000)) }, said: []string{"创建时间"}, heldOut: []string{"updated_at"}, needs: true},
		{typ: classify.Number, make: func(m *maker) string { return fmt.Sprint(m.IntN(100000)) }, said: []string{"数量"}, heldOut: []string{"view_count"}},
		{typ: classify.Code, make: func(m *maker) string { return m.chars(hexLetters, 32) }, said: []string{"md5"}, heldOut: []string{"session_id"}},
		{typ: classify.Code, make: func(m *maker) string { return "JL-" + m.ymd(2020, 2026) + "-" + m.digits(5) }, said: []string{"案号"}, heldOut: []string{"case_no"}},
		{typ: classify.Code, make: func(m *maker) string { return m.chars("ABCDEFGHJKLM", 2) + m.digits(6) + m.chars("XYZW", 1) }, said: []string{"设备编号"}, heldOut: []string{"sku"}},
		{typ: classify.RegionCode, make: func(m *maker) string { return pick(m, realRegions) + "000000" }, said: []string{"行政区划"}, heldOut: []string{"region_code"}, repeated: true},
		{typ: classify.PersonName, make: func(m *maker) string {
			return pick(m, strings.Fields("John Mary Wei Hiroshi Anna Ivan Min-jun Olga Peter Lucy")) + " " + pick(m, strings.Fields("Smith Zhang Tanaka Petrov Kim Müller Brown Lee Garcia Wang"))
		}, said: []string{"full_name"}, heldOut: []string{"英文姓名"}, needs: true},
	}
}

// mixtures are columns of several kinds.
func mixtures(m *maker) []labelled {
	blend := func(header string, n int, want classify.Type, parts map[classify.Type]float64, make map[classify.Type]func(*maker) string) labelled {
		l := labelled{header: header, want: want, note: "mixed"}
		for _, t := range []classify.Type{classify.ResidentID, classify.Passport, classify.HKMOPermit, classify.Mobile, classify.Landline, classify.Email, classify.BankCard, classify.CreditCode, classify.Permanent} {
			if parts[t] == 0 {
				continue
			}
			l.mixed = append(l.mixed, t)
			for range int(parts[t] * float64(n)) {
				l.values = append(l.values, make[t](m))
			}
		}
		m.Shuffle(len(l.values), func(i, j int) { l.values[i], l.values[j] = l.values[j], l.values[i] })
		l.values = m.dirt(l.values, 0.1)
		return l
	}
	by := map[classify.Type]func(*maker) string{
		classify.ResidentID: (*maker).resident, classify.Passport: (*maker).passport, classify.HKMOPermit: (*maker).hkmo, classify.Mobile: (*maker).mobile,
		classify.Landline: (*maker).landline, classify.Email: (*maker).email, classify.BankCard: (*maker).card, classify.CreditCode: (*maker).credit, classify.Permanent: (*maker).permanent,
	}
	type mix = map[classify.Type]float64
	var out []labelled
	for _, h := range []string{"证件号码", "zjhm", "c4"} {
		out = append(out,
			blend(h, 600, classify.ResidentID, mix{classify.ResidentID: 0.6, classify.Passport: 0.25, classify.HKMOPermit: 0.15}, by),
			blend(h, 600, classify.ResidentID, mix{classify.ResidentID: 0.7, classify.Permanent: 0.3}, by))
	}
	for _, h := range []string{"联系方式", "contact", "x2"} {
		out = append(out,
			blend(h, 600, classify.Mobile, mix{classify.Mobile: 0.6, classify.Landline: 0.2, classify.Email: 0.2}, by),
			blend(h, 600, classify.BankCard, mix{classify.Mobile: 0.5, classify.BankCard: 0.5}, by))
	}
	out = append(out, blend("代码", 600, classify.ResidentID, mix{classify.ResidentID: 0.5, classify.CreditCode: 0.5}, by))
	return out
}

// corpus makes a corpus: every family under headers that say so, clean and with
// 30% dirt, and, where it can be told from values, under blind and misleading ones.
func corpus(m *maker, rows int) []labelled {
	var out []labelled
	add := func(f *family, header, note string, dirt float64) {
		values := make([]string, rows)
		for i := range values {
			values[i] = f.make(m)
		}
		if dirt > 0 {
			values = m.dirt(values, dirt)
		}
		out = append(out, labelled{header: header, values: values, want: f.typ, note: note})
	}
	for _, f := range append(append(families(), nearMisses()...), labels()...) {
		headers := f.said
		if m.variant {
			headers = f.heldOut
		}
		for _, h := range headers {
			add(&f, h, "said", 0)
			add(&f, h, "said, 30% dirt", 0.3)
		}
		if f.needs {
			continue
		}
		add(&f, pick(m, blindHeaders), "blind", 0)
		add(&f, pick(m, blindHeaders), "blind, 30% dirt", 0.3)
		if f.typ != classify.Code && f.typ != classify.Enum && f.typ != classify.Boolean && f.typ != classify.Number && f.typ != classify.FreeText {
			add(&f, pick(m, []string{"订单号", "status", "bz", "流水号", "remark"}), "misleading", 0.1)
		}
	}
	return append(out, mixtures(m)...)
}
