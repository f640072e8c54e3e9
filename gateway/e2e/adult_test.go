package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

const adultDomain = `
yumen: 1
domain: e2e
jurisdiction: jilin
parties:
  - {id: shuju, name: 数据局, roles: [data_authority], key: "KEY(shuju)"}
  - {id: gongan, name: 统计局, roles: [provider], key: "KEY(gongan)"}
  - {id: yunying, name: 运营, roles: [operator]}
  - {id: bank, name: 研究, roles: [application_unit]}
datasets:
  - id: adult
    name: 成年人口普查
    provider: gongan
    source: {kind: file, path: adult.csv, format: csv, separator: ";"}
    version: "1"
    as_of: 1994-12-31
    privacy_unit: person
    subject: {row_number: true}
    sharing: conditional
    fields:
      - {name: sex, type: string, class: quasi_identifier, grade: 1}
      - {name: age, type: int64, class: quasi_identifier, grade: 2}
      - {name: race, type: string, class: quasi_identifier, grade: 2}
      - {name: marital-status, type: string, class: quasi_identifier, grade: 2}
      - {name: education, type: string, class: quasi_identifier, grade: 2}
      - {name: native-country, type: string, class: quasi_identifier, grade: 2}
      - {name: workclass, type: string, class: quasi_identifier, grade: 2}
      - {name: occupation, type: string, class: sensitive, grade: 3}
      - {name: salary-class, type: string, class: sensitive, grade: 3}
templates: []
tables:
  - {id: by-education, dataset: adult, group_by: [education], measures: [{kind: count}, {kind: mean, field: age}]}
  - {id: by-sex-salary, dataset: adult, group_by: [sex, salary-class], measures: [{kind: count}, {kind: mean, field: age}]}
  - {id: by-country, dataset: adult, group_by: [native-country], measures: [{kind: count}, {kind: mean, field: age}]}
masks:
  - id: sample
    dataset: adult
    k: 10
    max_suppression: "0.50"
    columns:
      - {name: sex, technique: keep}
      - {name: age, technique: generalize, params: {to: range, width: "20"}}
      - {name: race, technique: keep}
      - {name: marital-status, technique: suppress}
      - {name: education, technique: suppress, params: {as: "*"}}
      - {name: native-country, technique: suppress, params: {as: "null"}}
      - {name: occupation, technique: suppress}
      - {name: salary-class, technique: keep}
agreements:
  - {id: op, kind: operation, parties: [shuju, yunying], from: FROM, until: UNTIL, terms_digest: "TERMS"}
  - {id: use, kind: use, parties: [yunying, bank], from: FROM, until: UNTIL, terms_digest: "TERMS"}
scenarios:
  - id: s
    name: 场景
    purpose: 测试
    operation: op
    plan: "PLAN"
    authority: shuju
    providers: [gongan]
    units: [{party: bank, agreement: use, per_day: 1000}, {party: yunying, agreement: op, per_day: 10}]
    templates: []
    tables: [by-education, by-sex-salary, by-country]
    masks: [sample]
    consent: not_required
    allowed_use: 测试
    result_days: 30
consents: []
`

// adultRows reads the file with nothing of the project's own. Columns: sex age race marital education
// country workclass occupation salary.
func adultRows(t *testing.T) (path string, rows [][]string) {
	t.Helper()
	root := os.Getenv("YUMEN_TESTDATA")
	if root == "" {
		t.Skip("YUMEN_TESTDATA is not set: UCI Adult is not at hand")
	}
	path = filepath.Join(root, "adult", "adult.csv")
	f, err := os.Open(path)
	if err != nil {
		t.Skip("adult/adult.csv is not in YUMEN_TESTDATA")
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		rows = append(rows, strings.Split(strings.TrimRight(lines.Text(), "\r"), ";"))
	}
	require.NoError(t, lines.Err())
	require.Equal(t, "sex", strings.TrimPrefix(rows[0][0], "\ufeff"))
	return path, rows[1:]
}

func adultGateway(t *testing.T, csv []byte) *gateway {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adult.csv"), csv, 0o600))
	text := domain(t, adultDomain)
	return start(t, options{domain: text, approvals: sign(t, text), sources: dir})
}

type group struct{ n, sum int64 }

// mean of ages with six digits, half to even.
func (g group) mean() string {
	scaled := new(big.Int).Mul(big.NewInt(g.sum), big.NewInt(1_000_000))
	q, r := new(big.Int).QuoRem(scaled, big.NewInt(g.n), new(big.Int))
	twice := new(big.Int).Lsh(r, 1)
	if c := twice.Cmp(big.NewInt(g.n)); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	digits := fmt.Sprintf("%07s", q.String())
	return digits[:len(digits)-6] + "." + digits[len(digits)-6:]
}

func grouped(t *testing.T, rows [][]string, columns ...int) map[string]group {
	t.Helper()
	out := map[string]group{}
	for _, row := range rows {
		keys := make([]string, len(columns))
		for i, c := range columns {
			keys[i] = row[c]
		}
		age, err := strconv.ParseInt(row[1], 10, 64)
		require.NoError(t, err)
		k := strings.Join(keys, "|")
		out[k] = group{out[k].n + 1, out[k].sum + age}
	}
	return out
}

// Registered grouped counts and mean ages over the real file equal an independent computation exactly;
// every small cell is withheld.
func TestAdult_TablesEqualAnIndependentComputation(t *testing.T) {
	path, rows := adultRows(t)
	csv, err := os.ReadFile(path)
	require.NoError(t, err)
	g := adultGateway(t, csv)
	for table, columns := range map[string][]int{"by-education": {4}, "by-sex-salary": {0, 8}, "by-country": {5}} {
		out, err := g.as("bank").Query(ctx(), &apiv1.QueryRequest{Scenario: "s", Table: table})
		require.NoError(t, err)
		g.holds(out.GetReceipt())
		want := grouped(t, rows, columns...)
		require.Len(t, out.GetCells(), len(want), table)
		shown := 0
		for _, cell := range out.GetCells() {
			w, ok := want[strings.Join(cell.GetKeys(), "|")]
			require.True(t, ok, table)
			if w.n < 10 {
				require.True(t, cell.GetWithheld(), "%s: a cell of %d is shown", table, w.n)
			}
			if cell.GetWithheld() {
				require.Empty(t, cell.GetValues())
				continue
			}
			shown++
			require.Equal(t, []string{strconv.FormatInt(w.n, 10), w.mean()}, cell.GetValues(), "%s %v", table, cell.GetKeys())
		}
		require.NotZero(t, shown, table)
		if table != "by-country" {
			require.Equal(t, len(want), shown, "%s: a large cell is withheld", table)
		}
	}
}

// Two files that differ in the size of one small cell give the same table, message lengths included:
// nothing says how small it is.
func TestAdult_WithheldCellsTellNothingOfTheirSize(t *testing.T) {
	path, rows := adultRows(t)
	csv, err := os.ReadFile(path)
	require.NoError(t, err)
	rare := ""
	for country, w := range grouped(t, rows, 5) {
		if w.n == 1 {
			rare = country
		}
	}
	require.NotEmpty(t, rare)
	one := slices.IndexFunc(rows, func(r []string) bool { return r[5] == rare })
	line := strings.Join(rows[one], ";") + "\n"
	more := append(bytes.TrimRight(slices.Clone(csv), "\n"), "\n"+strings.Repeat(line, 6)...)
	a, b := adultGateway(t, csv), adultGateway(t, more)
	ask := func(g *gateway) *apiv1.QueryResponse {
		out, err := g.as("bank").Query(ctx(), &apiv1.QueryRequest{Scenario: "s", Table: "by-country"})
		require.NoError(t, err)
		return out
	}
	x, y := ask(a), ask(b)
	require.Equal(t, proto.Size(x), proto.Size(y))
	require.Equal(t, len(x.GetReceipt().GetReceipt()), len(y.GetReceipt().GetReceipt()))
	require.Equal(t, len(x.GetReceipt().GetResult()), len(y.GetReceipt().GetResult()))
	for i := range x.GetCells() {
		require.True(t, proto.Equal(x.GetCells()[i], y.GetCells()[i]))
	}
	require.Equal(t, statementOf(t, x.GetReceipt()).Checks, statementOf(t, y.GetReceipt()).Checks)
}

// The masked table holds no original value of a suppressed column, anywhere in its bytes, and every
// combination of what somebody may know of a person is held by k records.
func TestAdult_MaskedTable(t *testing.T) {
	path, rows := adultRows(t)
	csv, err := os.ReadFile(path)
	require.NoError(t, err)
	g := adultGateway(t, csv)
	job, err := g.as("yunying").Jobs.Submit(ctx(), &apiv1.SubmitRequest{Scenario: "s", Mask: "sample", IdempotencyKey: "0123456789abcdef", KeyTimeMs: nowMS()})
	require.NoError(t, err)
	done := g.waitState(job.GetId(), apiv1.JobState_JOB_STATE_DONE)
	require.Equal(t, apiv1.JobState_JOB_STATE_DONE, done.GetState(), "%s %s", done.GetProblem(), done.GetRefusal().GetRule())
	g.holds(done.GetReceipt())
	name := g.data("devzone", done.GetOutput(), "data.parquet")
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	names, masked := parquetRows(t, raw)
	require.NotContains(t, names, "marital-status")
	require.NotContains(t, names, "occupation")
	require.Equal(t, done.GetRows(), int64(len(masked)))

	secret := map[string]bool{}
	for _, row := range rows {
		for _, c := range []int{3, 4, 5, 7} {
			secret[row[c]] = true
		}
	}
	kept := ""
	for _, row := range rows {
		kept += row[0] + row[2] + row[8]
		if len(kept) > 100_000 {
			break
		}
	}
	for v := range secret {
		if strings.Contains(kept, v) {
			continue // India, in Amer-Indian-Eskimo
		}
		require.False(t, bytes.Contains(raw, []byte(v)), "a suppressed value is in the file: %q of %v", v, names)
	}
	classes := map[string]int{}
	for _, row := range masked {
		var known []string
		for i, n := range names {
			require.False(t, secret[row[i]], n)
			if n != "salary-class" {
				known = append(known, row[i])
			}
		}
		classes[strings.Join(known, "|")]++
	}
	for _, n := range classes {
		require.GreaterOrEqual(t, n, 10)
	}
	require.Greater(t, len(classes), 5)
}

func parquetRows(t *testing.T, raw []byte) (names []string, rows [][]string) {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(raw))
	require.NoError(t, err)
	defer r.Close()
	fr, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: 4096}, memory.DefaultAllocator)
	require.NoError(t, err)
	table, err := fr.ReadTable(ctx())
	require.NoError(t, err)
	defer table.Release()
	for _, f := range table.Schema().Fields() {
		names = append(names, f.Name)
	}
	batches := array.NewTableReader(table, 4096)
	defer batches.Release()
	for batches.Next() {
		rec := batches.Record()
		for i := range int(rec.NumRows()) {
			row := make([]string, rec.NumCols())
			for c := range row {
				row[c] = rec.Column(c).ValueStr(i)
			}
			rows = append(rows, row)
		}
	}
	require.NoError(t, batches.Err())
	return names, rows
}
