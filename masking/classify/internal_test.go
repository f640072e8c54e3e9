package classify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every row is as likely to be drawn as any other: chi-square over ten parts of
// the read, 9 degrees of freedom; beyond 40 with a probability below 10^-5.
func TestReservoirIsUniform(t *testing.T) {
	const rows, size, runs = 20_000, 100, 400
	var parts [10]float64
	for seed := range uint64(runs) {
		r := newReservoir(size, seed*7919)
		slots := make([]int64, size)
		for row := range int64(rows) {
			if s := r.slot(row); s >= 0 {
				slots[s] = row
			}
		}
		for _, row := range slots {
			parts[row*10/rows]++
		}
	}
	sum, want := 0.0, float64(size*runs)/10
	for _, n := range parts {
		sum += (n - want) * (n - want) / want
	}
	require.Less(t, sum, 40.0, "%v", parts)
}

func TestTokens(t *testing.T) {
	for in, want := range map[string]string{
		"": "_", "IDNumber": "_id_number_", "idCardNo2": "_id_card_no_", "client_ip": "_client_ip_", "IP地址": "_ip_地址_",
		"手机号（必填）": "_手机号_必填_", "ＸＭ": "_xm_", "user-Name.1": "_user_name_", "\xff": "_",
	} {
		require.Equal(t, want, tokenise(in), "%q", in)
	}
}

func TestHeaderWords(t *testing.T) {
	for in, want := range map[string]Type{
		"身份证号": ResidentID, "证件类型": Enum, "phone_type": Enum, "手机号归属地": RegionCode, "发证日期": Date, "是否有手机": Boolean, "surface": noType,
		"average": noType, "page": Number, "package": noType, "company_name": Org, "user_name": Account, "birthPlace": RegionCode, "sfzh": ResidentID, "XM": PersonName, "经度": Location,
		"face_value": Money, "order_no": Code, "email_verified": Enum, "IP地址": IPv4, "学生学号": Account, "患者年龄": Age, "": noType,
	} {
		require.Equal(t, want, parseHeader(in).typ, in)
	}
}

// Every type of specs and dictionaries has a class and a grade.
func TestTypesAreGraded(t *testing.T) {
	for _, s := range specs() {
		require.Positive(t, s.grade.rank())
		require.NotZero(t, s.passes)
		require.True(t, s.need > 0 || s.hinted > 0)
	}
	for _, w := range terms() {
		for _, typ := range w.types {
			class, grade := defaults(typ)
			require.NotEmpty(t, class)
			require.Positive(t, grade.rank())
		}
	}
}
