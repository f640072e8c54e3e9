package receipt

// reason is why a claim holds or fails. Texts are fixed: no detail can carry a
// value, a key or a path.
type reason int

const (
	reasonNone reason = iota
	reasonHolds
	reasonForm
	reasonStatement
	reasonTrustDir
	reasonTrustUnknown
	reasonTrustDomain
	reasonTrustEarly
	reasonTrustBuild
	reasonEntry
	reasonEntryKind
	reasonEntryStatement
	reasonCheckpoint
	reasonInclusion
	reasonResultForm
	reasonResultID
	reasonRequest
	reasonResult
	reasonRowRoot
	reasonRowPath
	reasonRowCount
	reasonRowIndex
	reasonRowAlone
	reasonResultAbsent
	reasonNoTime
	reasonNoExpiry
	reasonExpired
	reasonInForce
	reasonBodyForm
	reasonBody
	reasonPanic
	reasonLog
	reasonLogUnread
	reasonLogFork
	reasonLogReceipt
	reasonNoReceipts
	reasonWitness
	reasonWitnessFork
	reasonPlan
	reasonPlanResult
)

// text gives the two languages of a reason.
func (r reason) text() (en, zh string) {
	switch r {
	case reasonHolds:
		return "holds", "成立"
	case reasonForm:
		return "not a receipt in its canonical form", "不是规范形式的出域凭证"
	case reasonStatement:
		return "the statement is malformed or out of bounds", "凭证陈述格式不符或超出范围"
	case reasonTrustDir:
		return "the trust directory is empty or holds something that is not a trust file", "信任目录为空，或含有不是信任文件的内容"
	case reasonTrustUnknown:
		return "no trust file has the hash that the statement names", "没有任何信任文件与陈述所记的杂凑值相符"
	case reasonTrustDomain:
		return "the trust file is of another domain", "信任文件属于另一数据域"
	case reasonTrustEarly:
		return "the statement is older than the trust file allows", "陈述时间早于信任文件的起始时间"
	case reasonTrustBuild:
		return "the trust file does not list the build that made this", "信任文件未列出生成本凭证的程序版本"
	}
	if r >= reasonBodyForm {
		return r.otherText()
	}
	return r.proofText()
}

func (r reason) proofText() (en, zh string) {
	switch r {
	case reasonEntry:
		return "the log entry is malformed", "日志条目格式不符"
	case reasonEntryKind:
		return "the log entry is not that of a release", "日志条目不是出域条目"
	case reasonEntryStatement:
		return "the log entry is of another statement", "日志条目对应的是另一份陈述"
	case reasonCheckpoint:
		return "the checkpoint is malformed or not signed by the trusted key", "检查点格式不符，或并非由受信密钥签名"
	case reasonInclusion:
		return "the proof does not lead from the entry to the checkpoint", "证明路径无法由条目到达检查点"
	case reasonResultForm:
		return "not a result file in its canonical form", "不是规范形式的结果文件"
	case reasonResultID:
		return "the result file belongs to another receipt", "结果文件属于另一份凭证"
	case reasonRequest:
		return "the request is not the one committed to", "请求与承诺值不符"
	case reasonResult:
		return "the result is not the one committed to", "结果与承诺值不符"
	case reasonRowRoot:
		return "the rows are not those committed to", "各行与承诺值不符"
	case reasonRowPath:
		return "the row is not the one committed to", "该行与承诺值不符"
	case reasonRowCount:
		return "the number of rows is another", "行数不符"
	case reasonRowIndex:
		return "there is no such row", "没有该行"
	case reasonRowAlone:
		return "one row is shown, the others stay hidden", "仅出示其中一行，其余各行保持隐藏"
	case reasonResultAbsent:
		return "no result file given; request and result are not judged", "未提供结果文件，未核验请求与结果"
	case reasonNoTime:
		return "no time given; expiry is not judged", "未提供时间，未判断是否到期"
	case reasonNoExpiry:
		return "the statement names no expiry", "陈述未载明到期日"
	case reasonExpired:
		return "the permitted use has expired", "允许使用的期限已过"
	case reasonInForce:
		return "the permitted use has not expired", "仍在允许使用的期限内"
	}
	return "", ""
}

func (r reason) otherText() (en, zh string) {
	switch r {
	case reasonBodyForm:
		return "the result file does not stand for a file", "结果文件并未指向单独的数据文件"
	case reasonBody:
		return "the file is not the one committed to", "数据文件与承诺值不符"
	case reasonPanic:
		return "the material cannot be judged", "材料无法核验"
	case reasonLog:
		return "tiles, root and checkpoint do not agree", "日志分片、根与检查点不一致"
	case reasonLogUnread:
		return "the log has no checkpoint or cannot be read", "日志缺少检查点或无法读取"
	case reasonLogFork:
		return "a receipt's checkpoint is not a part of this log", "凭证中的检查点与本日志不一致"
	case reasonNoReceipts:
		return "there is no receipt to judge", "没有可核验的凭证"
	case reasonLogReceipt:
		return "a receipt is malformed or does not verify", "凭证格式不符或无法通过核验"
	case reasonWitness:
		return "not a checkpoint of this log signed by the witness", "不是由该见证方签名的本日志检查点"
	case reasonWitnessFork:
		return "the log is a fork of what the witness signed, or was rolled back behind it", "日志与见证方签名的检查点分叉，或已回退至其之前"
	case reasonPlan:
		return "the statement does not name a plan and enough key holders who recomputed it", "陈述未载明计划，或复算的密钥持有方不足"
	case reasonPlanResult:
		return "the result file stands for another plan", "结果文件对应的是另一计划"
	}
	return "", ""
}

// claimLabel is the Chinese name of a claim or note.
func claimLabel(name string) string {
	switch name {
	case ClaimForm:
		return "形式"
	case ClaimStatement:
		return "陈述"
	case ClaimTrust:
		return "信任"
	case ClaimCheckpoint:
		return "检查点"
	case ClaimEntry:
		return "日志条目"
	case ClaimInclusion:
		return "存在证明"
	case ClaimRequest:
		return "请求"
	case ClaimRows:
		return "行"
	case ClaimResult:
		return "结果"
	case ClaimPlan:
		return "密文计划"
	case ClaimBody:
		return "数据文件"
	case ClaimLog:
		return "日志"
	case ClaimReceipts:
		return "凭证一致性"
	case ClaimWitness:
		return "见证"
	case NoteExpiry:
		return "期限"
	}
	return ""
}
