package classify

// term says what words in a header mean. ASCII words are whole tokens joined by
// underscores; Han words may stand anywhere in a run.
type term struct {
	words []string
	types []Type // what the column then holds, if the word stands last
	tag   Type   // raises the class and grade of any type but attributes of form
	minor bool   // about persons under 18
	raise Grade
}

func w(words ...string) []string { return words }

func is(types ...Type) []Type { return types }

// terms are the dictionaries.
func terms() []term {
	return append(append(append(identifierTerms(), attributeTerms()...), formTerms()...), tagTerms()...)
}

func identifierTerms() []term {
	document := is(ResidentID, Passport, HKMOPermit, TWPermit, Permanent, ExitPermit)
	contact := is(Mobile, Landline, Email, WeChat, QQ)
	return []term{
		{words: w("身份证", "身份证号", "身份证号码", "公民身份号码", "身份号码", "居民身份证", "身份证件号码"), types: is(ResidentID)},
		{words: w("sfz", "sfzh", "sfzhm", "sfzjh", "gmsfhm", "gmsfzh", "gmsfzhm", "shenfenzheng", "shenfenzhenghao", "sfzhao",
			"id_card", "id_card_no", "id_card_number", "idcard", "idcardno", "id_no", "idno", "id_number", "citizen_id", "resident_id",
			"national_id", "identity_no", "identity_number", "identity_card", "identity_card_no", "id_num", "rid"), types: is(ResidentID)},
		{words: w("证件号", "证件号码", "证件编号", "有效证件"), types: document},
		{words: w("zjh", "zjhm", "zjhao", "cert_no", "certno", "cert_id", "certificate_no", "document_no", "doc_no", "credential_no", "id_doc_no"), types: document},
		{words: w("手机", "手机号", "手机号码", "移动电话", "联系手机"), types: is(Mobile)},
		{words: w("sj", "sjh", "sjhm", "yddh", "shouji", "shoujihao", "mobile", "mobile_no", "mobile_number", "mobile_phone", "cell",
			"cellphone", "cell_phone", "msisdn", "phone_mobile"), types: is(Mobile)},
		{words: w("电话", "电话号码", "联系电话", "来电"), types: is(Mobile, Landline)},
		{words: w("dh", "dhhm", "lxdh", "dianhua", "phone", "phone_no", "phone_number", "tel", "tel_no", "telephone", "phonenumber", "phoneno"), types: is(Mobile, Landline)},
		{words: w("固话", "固定电话", "座机", "办公电话", "住宅电话", "传真"), types: is(Landline)},
		{words: w("gddh", "zzdh", "bgdh", "landline", "fax", "fax_no", "home_phone", "office_phone"), types: is(Landline)},
		{words: w("联系方式", "联系人方式"), types: contact},
		{words: w("lxfs", "contact", "contact_info", "contact_way"), types: contact},
		{words: w("统一社会信用代码", "社会信用代码", "信用代码", "纳税人识别号", "营业执照号"), types: is(CreditCode)},
		{words: w("tyshxydm", "shxydm", "xydm", "tyxydm", "nsrsbh", "credit_code", "uscc", "usci", "social_credit_code",
			"unified_social_credit_code", "unified_code", "taxpayer_no", "taxpayer_id", "employer_code"), types: is(CreditCode)},
		{words: w("银行卡", "银行卡号", "卡号", "银行账号", "银行帐号", "收款账号", "工资卡", "借记卡", "信用卡号"), types: is(BankCard)},
		{words: w("yhkh", "yhk", "yhzh", "kh", "yinhangka", "bank_card", "bank_card_no", "bankcard", "bank_account", "bank_acct", "card_no",
			"card_number", "cardno", "pan", "credit_card", "credit_card_no", "debit_card", "account_card"), types: is(BankCard)},
		{words: w("imei", "imei_no", "设备识别码", "手机串号", "串号"), types: is(IMEI)},
		{words: w("永居证", "永居证号", "永久居留", "永久居留证", "永久居留证号", "永久居留身份证", "永久居留身份证号", "外国人永久居留"), types: is(Permanent)},
		{words: w("yjz", "yjzh", "yjjlz", "permanent_card", "permanent_resident", "permanent_resident_id", "permanent_resident_card", "prc_card_no", "green_card", "green_card_no"), types: is(Permanent)},
		{words: w("护照", "护照号", "护照号码"), types: is(Passport)},
		{words: w("hz", "hzh", "hzhm", "huzhao", "passport", "passport_no", "passport_number"), types: is(Passport)},
		{words: w("港澳通行证", "回乡证", "港澳居民来往内地通行证", "港澳证件", "港澳居民通行证"), types: is(HKMOPermit, ExitPermit)},
		{words: w("gatxz", "hxz", "hxzh", "hk_macau_permit", "hkmo_permit", "home_return_permit", "hk_permit", "hrp_no"), types: is(HKMOPermit)},
		{words: w("台胞证", "台胞证号", "台湾通行证", "台湾居民来往大陆通行证", "台湾居民通行证"), types: is(TWPermit)},
		{words: w("tbz", "tbzh", "taiwan_permit", "tw_permit", "mtp", "mtp_no"), types: is(TWPermit)},
		{words: w("往来港澳通行证", "往来台湾通行证", "大陆居民往来台湾"), types: is(ExitPermit)},
		{words: w("exit_permit", "eep_no", "eep"), types: is(ExitPermit)},
		{words: w("通行证", "通行证号"), types: is(HKMOPermit, TWPermit, ExitPermit)},
		{words: w("txz", "txzh", "travel_permit", "permit_card_no"), types: is(HKMOPermit, TWPermit, ExitPermit)},
		{words: w("车牌", "车牌号", "车牌号码", "号牌号码", "车号"), types: is(Plate)},
		{words: w("cp", "cph", "cphm", "hphm", "chepai", "chepaihao", "plate", "plate_no", "plate_number", "license_plate", "car_no", "vehicle_no", "lpn"), types: is(Plate)},
		{words: w("姓名", "真实姓名", "中文名", "联系人", "户主", "法人", "法定代表人", "经办人", "负责人", "户名", "收货人", "监护人", "配偶", "患者", "学生", "员工", "申请人", "持证人"), types: is(PersonName)},
		{words: w("xm", "xingming", "hzxm", "lxr", "fddbr", "jbr", "hm", "jhr", "full_name", "fullname", "real_name", "realname", "person_name", "contact_name",
			"contact_person", "customer_name", "cust_name", "patient_name", "student_name", "staff_name", "employee_name", "owner_name", "applicant",
			"applicant_name", "guardian_name", "holder_name", "cn_name", "legal_person", "first_name", "last_name", "given_name", "surname", "name"), types: is(PersonName)},
		{words: w("地址", "住址", "家庭住址", "住所", "通讯地址", "详细地址", "居住地", "坐落", "户籍地", "收货地址", "户籍地址", "房屋坐落"), types: is(Address, RegionName, RegionCode)},
		{words: w("dz", "zz", "jtzz", "jzdz", "lxdz", "txdz", "hjdz", "zhuzhi", "dizhi", "address", "addr", "home_address", "home_addr", "residence", "street_address", "mailing_address", "location_address"), types: is(Address, RegionName)},
		{words: w("邮箱", "电子邮箱", "电子邮件", "邮件地址", "邮箱地址"), types: is(Email)},
		{words: w("yx", "dzyx", "youxiang", "email", "e_mail", "mail", "mail_address", "email_address", "mailbox"), types: is(Email)},
		{words: w("ip", "ip_addr", "ip_address", "ip_地址", "client_ip", "login_ip", "remote_addr", "src_ip", "host_ip", "ipv"), types: is(IPv4, IPv6)},
		{words: w("mac", "mac_addr", "mac_address", "mac_地址", "bssid", "wifi_mac", "物理地址"), types: is(MAC)},
		{words: w("微信", "微信号", "微信账号"), types: is(WeChat)},
		{words: w("wx", "wxh", "wechat", "wechat_id", "weixin", "wx_id", "wxid"), types: is(WeChat)},
		{words: w("qq", "qq_号", "qq_号码", "qq_no", "qq_number", "qqh"), types: is(QQ)},
		{words: w("工号", "学号", "员工号", "职工编号", "用户编号", "用户号", "客户号", "会员号", "账号", "帐号", "社保号", "社保卡号", "医保号", "医保卡号", "病历号",
			"就诊卡号", "准考证号", "学籍号", "驾驶证号", "驾驶证", "人员编号", "个人编号", "住院号", "档案号", "户口簿号", "户号"), types: is(Account)},
		{words: w("gh", "xh_no", "yhbh", "sbh", "sbkh", "ybkh", "ryid", "rybh", "user_id", "userid", "uid", "account", "account_no", "account_id", "login", "login_name",
			"username", "user_name", "staff_no", "staff_id", "employee_no", "employee_id", "emp_no", "student_no", "student_id", "member_no", "member_id",
			"customer_id", "cust_id", "customer_no", "patient_id", "patient_no", "ssn", "insurance_no", "social_security_no", "driver_license", "driving_license",
			"person_id", "openid", "open_id", "household_id", "medical_record_no", "mrn", "xuehao", "gonghao"), types: is(Account)},
	}
}

func attributeTerms() []term {
	return []term{
		{words: w("出生日期", "出生年月", "生日", "出生时间", "出生"), types: is(BirthDate)},
		{words: w("csrq", "csny", "sr", "shengri", "birth", "birthday", "birth_date", "birthdate", "date_of_birth", "dob", "born"), types: is(BirthDate)},
		{words: w("年龄", "周岁", "岁数"), types: is(Age)},
		{words: w("nl", "nianling", "age", "age_years"), types: is(Age)},
		{words: w("性别"), types: is(Gender)},
		{words: w("xb", "xingbie", "gender", "sex"), types: is(Gender)},
		{words: w("民族"), types: is(Ethnicity)},
		{words: w("mz", "minzu", "ethnic", "ethnicity", "ethnic_group", "nation"), types: is(Ethnicity)},
		{words: w("婚姻", "婚姻状况", "婚姻状态", "婚否"), types: is(Marital)},
		{words: w("hyzk", "hyzt", "marital", "marital_status", "marriage", "marriage_status"), types: is(Marital)},
		{words: w("学历", "文化程度", "职业", "职务", "职称", "国籍", "籍别", "宗族", "户口性质", "从业状况"), types: is(Trait, Enum)},
		{words: w("xueli", "whcd", "zhiye", "gj", "education", "education_level", "degree", "occupation", "job", "work_class", "workclass", "employment", "employment_status",
			"nationality", "native_country", "country", "citizenship", "race", "household_type"), types: is(Trait, Enum)},
		{words: w("行政区划", "行政区划代码", "区划代码", "行政区", "地区代码", "区县代码", "所属区", "所在地", "区域", "区县", "省份", "城市", "籍贯", "出生地", "归属地", "辖区"), types: is(RegionCode, RegionName)},
		{words: w("xzqh", "xzqhdm", "qhdm", "xzqdm", "ssq", "region", "region_code", "district", "district_code", "area_code", "adcode", "division_code", "county", "county_code",
			"city", "city_code", "province", "province_code", "spouse_region", "birth_place", "birthplace", "place_of_birth", "native_place", "jg"), types: is(RegionCode, RegionName)},
		{words: w("金额", "工资", "收入", "薪资", "薪酬", "余额", "缴费", "缴费基数", "补贴", "贷款", "存款", "价格", "单价", "总价", "费用", "税额", "价值", "月薪", "年薪", "应发", "实发", "退款", "押金", "奖金"), types: is(Money)},
		{words: w("je", "gz", "sr_je", "gzze", "jine", "gongzi", "yue", "amount", "amt", "salary", "wage", "income", "balance", "price", "fee", "payment", "cost",
			"loan", "deposit", "value", "revenue", "tax", "premium", "total_amount", "pay", "bonus", "debt", "face_value"), types: is(Money)},
		{words: w("日期", "时间", "年月", "年月日", "时刻", "截止日", "有效期"), types: is(Date)},
		{words: w("rq", "sj_date", "riqi", "shijian", "date", "time", "datetime", "timestamp", "ts", "created_at", "updated_at", "create_time", "update_time", "ctime", "mtime",
			"expiry", "expires", "registered", "year", "month", "day", "djrq", "cjsj", "gxsj", "yxq"), types: is(Date)},
		{words: w("企业名称", "公司名称", "单位名称", "工作单位", "单位", "机构名称", "医院", "学校", "开户行", "供应商", "商户", "法人名称", "雇主", "公司", "企业", "机构"), types: is(Org)},
		{words: w("dwmc", "qymc", "gsmc", "gzdw", "jgmc", "khh", "company", "company_name", "org", "org_name", "organization", "employer", "employer_name", "enterprise",
			"enterprise_name", "bank_name", "school", "school_name", "hospital", "hospital_name", "merchant", "merchant_name", "supplier", "vendor", "firm", "dept", "dept_name", "department"), types: is(Org)},
		{words: w("备注", "说明", "描述", "内容", "留言", "意见", "摘要", "情况", "正文", "评论"), types: is(FreeText)},
		{words: w("bz", "beizhu", "remark", "remarks", "note", "notes", "comment", "comments", "description", "desc", "content", "memo", "message", "text", "feedback"), types: is(FreeText)},
		{words: w("经度", "纬度", "坐标", "经纬度", "定位", "轨迹"), types: is(Location)},
		{words: w("jd", "wd", "jwd", "zb", "lng", "lon", "longitude", "lat", "latitude", "coordinate", "coordinates", "coord", "gps", "geo", "geo_point", "latlng", "lnglat", "geolocation",
			"gcj", "wgs", "trajectory"), types: is(Location)},
		{words: w("诊断", "疾病", "病名", "病史", "症状", "过敏", "处方", "用药", "药品", "手术", "检验结果", "体检", "传染病", "残疾", "血型", "病种", "主诉", "既往史", "病情"), types: is(Health)},
		{words: w("zd", "zdmc", "zdbm", "jb", "jbmc", "jbbm", "bs", "zhenduan", "jibing", "diagnosis", "diagnosis_code", "diagnosis_name", "diag", "diag_code", "disease", "disease_name", "icd", "icd_code", "symptom", "symptoms",
			"allergy", "allergies", "prescription", "medication", "drug", "surgery", "disability", "blood_type", "medical_history", "illness", "condition_code"), types: is(Health)},
		{words: w("指纹", "人脸", "人脸特征", "人脸图像", "虹膜", "声纹", "掌纹", "步态", "耳廓", "基因", "面部", "指静脉", "生物特征"), types: is(Biometric)},
		{words: w("zw", "zwtz", "rltz", "rlzp", "fingerprint", "finger_print", "fingerprint_template", "face", "face_feature", "face_vector", "face_template", "face_image", "face_encoding", "face_embedding", "face_data", "faceid", "face_id",
			"iris", "iris_code", "iris_template", "voiceprint", "voice_print", "palmprint", "palm_print", "retina", "gait", "dna", "dna_profile", "genome", "biometric", "biometric_template"), types: is(Biometric)},
		{words: w("宗教", "宗教信仰", "信仰", "政治面貌", "党派", "犯罪", "前科", "刑罚", "性取向", "吸毒"), types: is(Special)},
		{words: w("zzmm", "zjxy", "religion", "religious_belief", "political", "political_status", "party", "criminal", "criminal_record", "conviction", "sexual_orientation", "belief"), types: is(Special)},
	}
}

// formTerms name what is about something and is not the thing.
func formTerms() []term {
	return []term{
		{words: w("类型", "类别", "种类", "状态", "级别", "等级", "行业", "来源", "渠道", "品牌", "颜色", "分类", "方式", "结果", "性质", "关系", "专业", "版本", "型号", "单位代码类型", "班级", "年级", "代码类型"), types: is(Enum)},
		{words: w("lx", "lb", "zt", "hy", "xl", "zy", "type", "kind", "category", "status", "state", "level", "grade", "class", "industry", "title", "source", "channel", "brand",
			"color", "colour", "mode", "result", "relation", "relationship", "version", "model", "reason", "carrier", "verified", "format"), types: is(Enum)},
		{words: w("标志", "标识", "标记"), types: is(Enum, Boolean)},
		{words: w("flag", "enabled", "disabled", "deleted", "valid", "active", "bz_flag", "certified", "objection", "mortgaged", "debtor"), types: is(Boolean, Enum)},
		{words: w("数量", "次数", "个数", "人数", "面积", "比例", "比率", "百分比", "总数", "重量", "长度", "高度", "温度", "得分", "分数", "评分", "时长", "天数", "月数", "年限", "利率", "里程", "用电量", "用水量", "单价数量", "库存"), types: is(Number)},
		{words: w("sl", "cs", "rs", "mj", "count", "cnt", "quantity", "qty", "total", "area", "rate", "ratio", "percent", "percentage", "score", "weight", "height", "length", "temperature", "duration",
			"days", "months", "years", "pages", "page", "size", "index", "num", "stock", "mileage", "built", "floor", "volume", "width", "depth"), types: is(Number)},
		{words: w("订单", "订单号", "订单编号", "流水号", "交易号", "序号", "编号", "批次", "批号", "合同号", "合同编号", "发票号", "发票号码", "快递单号", "运单号", "单号", "凭证号", "房屋编号", "商品", "商品编码", "产品编码",
			"产品名称", "商品名称", "项目名称", "邮编", "邮政编码", "条形码", "条码", "案号", "文号", "设备编号", "工单号", "代码", "编码", "受理号", "产品", "项目", "小区", "楼盘", "路名", "街道", "站点", "课程", "城市名"), types: is(Code)},
		{words: w("dd", "ddh", "ddbh", "lsh", "xh", "bh", "pch", "hth", "htbh", "fph", "fphm", "ydh", "pzh", "spbm", "cpmc", "spmc", "xmmc", "yb", "yzbm", "order", "order_no", "order_id", "order_number", "orderid", "orderno", "serial", "serial_no", "serial_number",
			"sn", "seq", "sequence", "batch", "batch_no", "lot", "lot_no", "contract_no", "invoice", "invoice_no", "invoice_number", "tracking_no", "waybill", "waybill_no", "transaction_id", "trans_id",
			"txn_id", "trade_no", "product", "product_name", "product_code", "product_id", "goods_name", "goods_code", "item", "item_name", "item_code", "sku", "barcode", "ean", "isbn", "project",
			"project_name", "zip", "zipcode", "zip_code", "postcode", "postal_code", "hash", "md", "sha", "sha_256", "token", "uuid", "guid", "session_id", "trace_id", "request_id", "code", "file_name",
			"filename", "column_name", "table_name", "host_name", "hostname", "domain", "domain_name", "url", "path", "home_id", "house_id", "street", "street_name", "road", "station", "community", "course", "course_name", "event_name", "app_name", "device_name", "city_name_list", "brand_name", "ticket_no", "case_no", "voucher_no", "reference", "ref_no", "pk", "key"), types: is(Code)},
	}
}

// tagTerms raise a grade wherever they stand.
func tagTerms() []term {
	return []term{
		{words: w("学生", "儿童", "未成年", "幼儿", "小学", "初中", "监护人", "婴儿", "新生儿", "家长", "少年", "婴幼儿", "子女"), minor: true},
		{words: w("child", "children", "minor", "minors", "pupil", "student", "guardian", "kid", "infant", "newborn", "juvenile", "jhr", "parent"), minor: true},
		{words: w("患者", "病人", "病历", "就诊", "门诊", "住院", "医保"), tag: Health},
		{words: w("patient", "medical", "clinical", "outpatient", "inpatient"), tag: Health},
		{words: w("涉密", "国家秘密", "机密", "绝密"), raise: Core},
		{words: w("classified", "state_secret", "top_secret"), raise: Core},
		{words: w("军事", "国防", "关键信息基础设施", "人类遗传资源", "测绘成果", "战略储备"), raise: Important},
		{words: w("military", "critical_infrastructure", "genetic_resource"), raise: Important},
	}
}
