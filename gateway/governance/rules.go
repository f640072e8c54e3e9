package governance

// Rule is the stable id of one rule. Refusals, rule packs and logs use it.
type Rule string

// Rules on the domain and approvals files.
const (
	UnknownKey        Rule = "unknown-key"
	DanglingReference Rule = "dangling-reference"
	DuplicateID       Rule = "duplicate-id"
	Malformed         Rule = "malformed"
	AliasRefused      Rule = "alias-refused"
	DomainFixed       Rule = "domain-fixed"
	KeyPinned         Rule = "key-pinned"
	AuthorityPinned   Rule = "authority-pinned"
	SettingsLoosened  Rule = "settings-loosened"
)

// Rules on who asks and under which grant.
const (
	UnknownParty      Rule = "unknown-party"
	RoleNotAllowed    Rule = "role-not-allowed"
	ScenarioUnknown   Rule = "scenario-unknown"
	UnitNotInScenario Rule = "unit-not-in-scenario"
	PlanMissing       Rule = "plan-missing"
	ApprovalMissing   Rule = "approval-missing"
	ApprovalInvalid   Rule = "approval-invalid"
	AgreementMissing  Rule = "agreement-missing"
	AgreementNotYet   Rule = "agreement-not-yet"
	AgreementExpired  Rule = "agreement-expired"
	TermCap           Rule = "term-cap"
	Suspended         Rule = "suspended"
	PolicyForbidden   Rule = "policy-forbidden"
	ConsentMissing    Rule = "consent-missing"
	ConsentForeign    Rule = "consent-foreign"
	ConsentExpired    Rule = "consent-expired"
	ConsentRevoked    Rule = "consent-revoked"
	ConsentBlanket    Rule = "consent-blanket"
)

// Rules on what is asked.
const (
	TemplateUnregistered Rule = "template-unregistered"
	TableUnregistered    Rule = "table-unregistered"
	MaskUnregistered     Rule = "mask-unregistered"
	// AggregateUnregistered: the encrypted aggregate is not registered, or not for the scenario.
	AggregateUnregistered Rule = "aggregate-unregistered"
	ThresholdSupplied     Rule = "threshold-supplied"
	FieldUnknown          Rule = "field-unknown"
	FieldUngraded         Rule = "field-ungraded"
	CellShare             Rule = "cell-share"
	TemplateLimit         Rule = "template-limit"
	DatasetProhibited     Rule = "dataset-prohibited"
	DatasetSharing        Rule = "dataset-sharing"
	DatasetMissing        Rule = "dataset-missing"
	SubjectMalformed      Rule = "subject-malformed"
	BatchTooLarge         Rule = "batch-too-large"
	BatchNotAllowed       Rule = "batch-not-allowed"
)

// Rules on how much may be asked, on what leaves, and on the gateway itself.
const (
	QuotaExhausted      Rule = "quota-exhausted"
	AttemptsExhausted   Rule = "attempts-exhausted"
	PrivacyExhausted    Rule = "privacy-exhausted"
	SmallCell           Rule = "small-cell"
	KAnonymity          Rule = "k-anonymity"
	SuppressionRate     Rule = "suppression-rate"
	RawExport           Rule = "raw-export"
	PlanRefused         Rule = "plan-refused"
	HoldersMissing      Rule = "holders-missing"
	ScalarsExhausted    Rule = "scalars-exhausted"
	KeyDestroyed        Rule = "key-destroyed"
	SampleRate          Rule = "sample-rate"
	PerturbRefused      Rule = "perturb-refused"
	Resale              Rule = "resale"
	IdempotencyConflict Rule = "idempotency-conflict"
	IdempotencyExpired  Rule = "idempotency-expired"
	IdempotencyMissing  Rule = "idempotency-missing"
	Sealed              Rule = "sealed"
	NotDurable          Rule = "not-durable"
	WitnessMissing      Rule = "witness-missing"
	PushMissing         Rule = "push-missing"
	SettingsChanged     Rule = "settings-changed"
)

// ruleText is what every jurisdiction shares about a rule.
type ruleText struct {
	rule        Rule
	code        string // stable, never reused
	requirement string // row of docs/REQUIREMENTS.md
	zh, en      string // one sentence each
}

// Rules returns the ids of all rules, in order of their codes.
func Rules() []Rule {
	texts := ruleTexts()
	out := make([]Rule, len(texts))
	for i := range texts {
		out[i] = texts[i].rule
	}
	return out
}

func ruleTexts() []ruleText {
	return append(append(fileRules(), grantRules()...), append(queryRules(), outRules()...)...)
}

func fileRules() []ruleText {
	return []ruleText{
		{UnknownKey, "YM-1001", "R14", "文件含有未定义的键。", "The file has a key that is not defined."},
		{DanglingReference, "YM-1002", "R14", "所引用的对象不存在或不相符。", "The reference names nothing that exists, or something that does not fit."},
		{DuplicateID, "YM-1003", "R14", "同一标识、键或公钥出现两次。", "An id, key or public key appears twice."},
		{Malformed, "YM-1004", "R14", "内容不符合格式要求。", "The content does not have the required form."},
		{AliasRefused, "YM-1005", "R14", "不接受锚点、别名、合并键、标签及多文档。", "Anchors, aliases, merge keys, tags and several documents are not accepted."},
		{DomainFixed, "YM-1006", "R18", "数据域标识与适用法域一经生效不得变更。", "The id and the jurisdiction of a domain cannot change once applied."},
		{KeyPinned, "YM-1007", "R18", "已登记的公钥须由原密钥签名方可更换。", "A pinned key can be replaced only under a signature of the old key."},
		{AuthorityPinned, "YM-1008", "R18", "新增数据主管部门须由现有主管部门签名同意。", "A new data authority must be approved by a signature of an existing one."},
		{SettingsLoosened, "YM-1009", "R18", "放宽设置须由主管部门和全部数据提供单位签名同意。", "Settings may be loosened only under the signatures of an authority and of every provider."},
	}
}

func grantRules() []ruleText {
	return []ruleText{
		{UnknownParty, "YM-2001", "R52", "请求方未在本数据域登记。", "The party is not registered in this domain."},
		{RoleNotAllowed, "YM-2002", "R53", "该主体的角色不允许此操作。", "The role of the party does not allow this."},
		{ScenarioUnknown, "YM-2003", "R30", "该应用场景未经登记。", "The scenario is not registered."},
		{UnitNotInScenario, "YM-2004", "R49", "该单位不属于此应用场景。", "The unit is not part of this scenario."},
		{PlanMissing, "YM-2101", "R23", "该授权没有应急预案,不得运营。", "There is no contingency plan for this grant, so it may not operate."},
		{ApprovalMissing, "YM-2102", "R18", "尚缺主管部门或数据提供单位的同意签名。", "The approval of the authority or of a provider is missing."},
		{ApprovalInvalid, "YM-2103", "R18", "同意签名与现行内容不符或无效。", "An approval does not verify over what is now in force."},
		{AgreementMissing, "YM-2104", "R27", "没有相应的授权运营协议或数据利用协议。", "There is no operation or use agreement that covers this."},
		{AgreementNotYet, "YM-2105", "R28", "协议尚未生效。", "The agreement is not yet in force."},
		{AgreementExpired, "YM-2106", "R28", "协议已到期。", "The agreement has expired."},
		{TermCap, "YM-2107", "R28", "协议期限超过上限。", "The term of the agreement is above the cap."},
		{Suspended, "YM-2108", "R60", "相关权限已被暂停。", "Access has been suspended."},
		{PolicyForbidden, "YM-2109", "R52", "访问策略不允许此操作。", "The access policy does not allow this."},
		{ConsentMissing, "YM-2201", "R31", "缺少数据主体的同意。", "The consent of the data subject is missing."},
		{ConsentForeign, "YM-2202", "R31", "该同意不适用于此主体、单位、场景或模板。", "The consent is not for this subject, unit, scenario or template."},
		{ConsentExpired, "YM-2203", "R31", "同意已过期。", "The consent has expired."},
		{ConsentRevoked, "YM-2204", "R31", "同意已被撤回。", "The consent has been revoked."},
		{ConsentBlanket, "YM-2205", "R31", "不接受一揽子授权。", "Blanket consent is not accepted."},
	}
}

func queryRules() []ruleText {
	return []ruleText{
		{TemplateUnregistered, "YM-3001", "R20", "核验模板未经登记或不属于此场景。", "The template is not registered, or not for this scenario."},
		{TableUnregistered, "YM-3002", "R20", "统计表未经登记或不属于此场景。", "The table is not registered, or not for this scenario."},
		{MaskUnregistered, "YM-3003", "R34", "脱敏表未经登记或不属于此场景。", "The masked table is not registered, or not for this scenario."},
		{ThresholdSupplied, "YM-3004", "R20", "请求方不得自选阈值、字段或运算。", "The caller may not choose a threshold, field or operation."},
		{FieldUnknown, "YM-3005", "R20", "字段不存在。", "The field does not exist."},
		{FieldUngraded, "YM-3006", "R3", "字段未分类分级,不得使用。", "The field has no class or grade and may not be used."},
		{CellShare, "YM-3007", "R48", "模板的某一答案所占比例低于规定值。", "One answer of the template holds less than the share set for it."},
		{TemplateLimit, "YM-3008", "R48", "同一字段的普通模板超过规定个数。", "A field has more ordinary templates than the settings allow."},
		{AggregateUnregistered, "YM-3009", "R20", "密文统计未经登记或不属于此场景。", "The encrypted aggregate is not registered, or not for this scenario."},
		{DatasetProhibited, "YM-3101", "R7", "该数据禁止授权运营。", "This data may not be put into authorised operation."},
		{DatasetSharing, "YM-3102", "R43", "该数据只可核实、比对,不得输出表。", "This data may only be verified against; no table of it may leave."},
		{DatasetMissing, "YM-3103", "R2", "数据集尚未就绪。", "The dataset is not loaded."},
		{SubjectMalformed, "YM-3201", "R43", "核验对象的标识不合格式。", "The identifier of the subject is not well formed."},
		{BatchTooLarge, "YM-3202", "R4", "批量超过上限。", "The batch is larger than allowed."},
		{BatchNotAllowed, "YM-3203", "R4", "该模板不允许批量核验。", "This template may not be asked in a batch."},
	}
}

func outRules() []ruleText {
	return []ruleText{
		{QuotaExhausted, "YM-4001", "R4", "当期额度已用完。", "The quota of this period is used up."},
		{AttemptsExhausted, "YM-4002", "R38", "对该核验的尝试次数已达上限。", "The attempts allowed for this verification are used up."},
		{PrivacyExhausted, "YM-4003", "R48", "该数据集的差分隐私预算已用完。", "The differential privacy budget of the dataset is used up."},
		{SmallCell, "YM-5001", "R48", "统计单元人数不足。", "A cell of the table holds too few subjects."},
		{KAnonymity, "YM-5002", "R34", "脱敏结果未达到k匿名要求。", "The masked result does not reach the required k."},
		{SuppressionRate, "YM-5003", "R34", "抑制比例超过上限。", "More records would be suppressed than allowed."},
		{RawExport, "YM-5004", "R47", "原始数据不得出域。", "Raw data may not leave the domain."},
		{Resale, "YM-5005", "R49", "结果不得转让或用于其他场景。", "The result may not be passed on or used for another scenario."},
		{PlanRefused, "YM-5006", "R48", "密文统计计划未通过核验。", "The plan of the encrypted aggregate does not hold."},
		{HoldersMissing, "YM-5007", "R48", "同意的密钥持有方不足。", "Too few key holders have approved."},
		{KeyDestroyed, "YM-5008", "R34", "该脱敏表所用密钥已销毁。", "A key that the masked table needs was destroyed."},
		{SampleRate, "YM-5009", "R34", "脱敏样本的抽样比例须低于百分之一。", "A masked sample must hold less than one per cent of the subjects."},
		{PerturbRefused, "YM-5010", "R48", "脱敏表没有差分隐私预算,不得加噪输出。", "No privacy budget is set aside for masked tables, so nothing may be perturbed in one."},
		{ScalarsExhausted, "YM-4004", "R48", "该密钥允许的解密次数已用完。", "The openings that the key allows are used up."},
		{IdempotencyConflict, "YM-6001", "R56", "同一请求键对应了不同的请求。", "The idempotency key was used with another request."},
		{IdempotencyExpired, "YM-6002", "R56", "请求键超出有效时限。", "The idempotency key is beyond its horizon."},
		{IdempotencyMissing, "YM-6003", "R56", "缺少请求键。", "The idempotency key is missing."},
		{Sealed, "YM-7001", "R56", "网关已封闭,仅提供健康检查与审计。", "The gateway is sealed; only health and audit answer."},
		{NotDurable, "YM-7002", "R56", "无法可靠记录,结果不得出域。", "The entry could not be made durable, so nothing leaves."},
		{WitnessMissing, "YM-7003", "R56", "在规定时间内没有见证方签名,结果不得出域。", "No witness has signed the log within the time set, so nothing leaves."},
		{PushMissing, "YM-7004", "R57", "日志未能在规定时间内送达交换平台,结果不得出域。", "The log did not reach the exchange platform within the time set, so nothing leaves."},
		{SettingsChanged, "YM-7005", "R48", "处理期间设置已收紧,请重新请求。", "The settings were tightened while the answer was made; ask again."},
	}
}
