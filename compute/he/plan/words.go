package plan

import (
	"fmt"
	"strings"
	"time"
)

// Chinese is the language of Words that is not English.
const Chinese = "zh"

// Words says what a query asks, for the person who approves it: in Chinese for
// "zh" (and "zh-CN" ...), in English otherwise. Names are quoted as they stand.
func (q *Query) Words(lang string) string {
	t := englishWords()
	if strings.HasPrefix(strings.ToLower(lang), Chinese) {
		t = chineseWords()
	}
	var columns, datasets []string
	for _, c := range q.Columns {
		s := fmt.Sprintf(t.column, c.Field, c.Dataset, c.Lane)
		if c.Weight != 0 {
			s += fmt.Sprintf(t.weight, c.Weight)
		}
		columns = append(columns, s)
	}
	for _, d := range q.Datasets {
		datasets = append(datasets, fmt.Sprintf(t.version, d.Dataset, d.Version))
	}
	lines := []string{
		fmt.Sprintf(t.who, q.Requester, q.Aggregate, q.Scenario, q.Purpose),
		fmt.Sprintf(t.what, t.kinds[q.Kind], strings.Join(columns, t.comma)),
		fmt.Sprintf(t.of, strings.Join(datasets, t.comma), t.list(q.Sections)),
	}
	if q.Kind.grouped() {
		lines = append(lines, fmt.Sprintf(t.groups, t.list(q.Groups)))
	}
	stamp := func(s int64) string { return time.Unix(s, 0).UTC().Format("2006-01-02 15:04 UTC") }
	return strings.Join(append(lines, fmt.Sprintf(t.when, stamp(q.Time), stamp(q.Expiry))), "\n")
}

type words struct {
	column, weight, version, who, what, of, groups, when, comma, all string
	kinds                                                            map[Kind]string
}

func (t words) list(names []string) string {
	if len(names) == 0 {
		return t.all
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, t.comma)
}

func englishWords() words {
	return words{
		column: "%q of dataset %q (lane %q)", weight: " times %d", version: "%q version %q",
		who:  "%q asks for the registered aggregate %q under scenario %q, purpose: %q.",
		what: "It asks for %s of %s.", of: "Over whole sections only, of %s; sections: %s.",
		groups: "One number for each group; groups: %s.", when: "Asked at %s, void from %s.",
		comma: ", ", all: "all",
		kinds: map[Kind]string{
			KindCount: "the number of records", Sum: "the sum", Mean: "the mean", Variance: "the variance, with sum and mean,",
			Covariance: "the covariance, with means,", Correlation: "the correlation, with means, variances and covariance,",
			GroupSum: "the sums by group", GroupMean: "the means by group", Histogram: "the number of records by group",
			Score: "the total and mean weighted score",
		},
	}
}

func chineseWords() words {
	return words{
		column: "数据集%[2]q的%[1]q(密文列%[3]q)", weight: "乘以 %d", version: "%q 版本 %q",
		who:  "%q 在场景 %[3]q 下申请已登记的聚合 %[2]q,用途:%[4]q。",
		what: "所求:%[2]s 的%[1]s。", of: "只涉及完整分段:%s;分段:%s。",
		groups: "每组一个数;分组:%s。", when: "提出于 %s,自 %s 起作废。",
		comma: "、", all: "全部",
		kinds: map[Kind]string{
			KindCount: "记录数", Sum: "总和", Mean: "平均值", Variance: "方差(连同总和与平均值)",
			Covariance: "协方差(连同平均值)", Correlation: "相关系数(连同平均值、方差与协方差)",
			GroupSum: "分组总和", GroupMean: "分组平均值", Histogram: "分组记录数", Score: "加权评分的总和与平均值",
		},
	}
}
