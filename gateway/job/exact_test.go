package job

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/job/spec"
	"github.com/yumen-project/yumen/gateway/keyring"
	"github.com/yumen-project/yumen/gateway/release"
)

// book is a register in memory; the empty text is a null.
type book struct {
	fields []governance.Field
	rows   [][]string
	reads  int
	broken bool
	away   bool // cannot even be described
}

func (b *book) schema() (*arrow.Schema, error) {
	var fields []connectors.Field
	for _, f := range b.fields {
		fields = append(fields, connectors.Field{Name: f.Name, Type: f.Type})
	}
	return connectors.Schema(fields)
}

func (b *book) Describe(context.Context) (*connectors.Dataset, error) {
	if b.away {
		return nil, errData
	}
	schema, err := b.schema()
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", b.rows))
	return &connectors.Dataset{Schema: schema, Fingerprint: hex.EncodeToString(sum[:])}, err
}

func (b *book) Open(_ context.Context, scan connectors.Scan) (array.RecordReader, error) {
	if b.broken {
		return nil, errData
	}
	b.reads++
	schema, err := b.schema()
	if err != nil {
		return nil, err
	}
	names := scan.Columns
	if names == nil {
		for _, f := range b.fields {
			names = append(names, f.Name)
		}
	}
	var at []int
	var fields []arrow.Field
	for _, name := range names {
		i := schema.FieldIndices(name)[0]
		at, fields = append(at, i), append(fields, schema.Field(i))
	}
	schema = arrow.NewSchema(fields, nil)
	build := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer build.Release()
	for _, row := range b.rows {
		for k, i := range at {
			if row[i] == "" {
				build.Field(k).AppendNull()
			} else if err := build.Field(k).AppendValueFromString(row[i]); err != nil {
				return nil, err
			}
		}
	}
	rec := build.NewRecord()
	defer rec.Release()
	return array.NewRecordReader(schema, []arrow.Record{rec})
}

// town has 30 people in each of four districts, aged 20 to 49 but for three in the first and ten in the
// second who are 60.
func town() *book {
	b := &book{}
	for i := range 120 {
		age := 20 + i/4
		if i%4 == 0 && i < 12 || i%4 == 1 && i < 40 {
			age = 60
		}
		b.rows = append(b.rows, []string{fmt.Sprintf("p%03d", i), fmt.Sprintf("d%d", i%4), fmt.Sprint(age), fmt.Sprint(100 + i%7), fmt.Sprint(i%3 == 0)})
	}
	return b
}

const exactFields = `      - {name: rid, type: string, class: direct_identifier, grade: 3}
      - {name: district, type: string, class: quasi_identifier, grade: 2}
      - {name: age, type: int64, class: quasi_identifier, grade: 2}
      - {name: wage, type: int64, class: sensitive, grade: 3}
      - {name: lien, type: bool, class: sensitive, grade: 3}
`

const (
	allByDistrict = `{id: all, dataset: housing, group_by: [district], measures: [{kind: count}]}`
	below60       = `{id: below60, dataset: housing, filters: [{field: age, op: "<", value: "60"}], group_by: [district], measures: [{kind: count}]}`
	fromAbove     = `{id: alias60, dataset: housing, filters: [{field: age, op: "<", value: "60"}], group_by: [district], measures: [{kind: count}]}`
)

// room is a runner over one register, with the keys that sign its domain.
type room struct {
	t    *testing.T
	dir  string
	book *book
	keys map[string]keyring.SignerKey
	r    *Runner
	n    int
}

func newRoom(t *testing.T, b *book) *room {
	w := &room{t: t, dir: t.TempDir(), book: b, keys: map[string]keyring.SignerKey{}}
	for _, id := range []string{"shuju", "zhujian"} {
		k, err := keyring.GenerateSigner(keyring.Approval, rand.Reader)
		require.NoError(t, err)
		w.keys[id] = k
	}
	w.open()
	return w
}

func (w *room) open() {
	o := optionsIn(w.t, w.dir)
	o.Source = func(d *governance.Dataset) (connectors.Source, error) {
		w.book.fields = d.Fields
		return w.book, nil
	}
	var err error
	w.r, err = Open(context.Background(), o)
	require.NoError(w.t, err)
	<-w.r.warmed // the book is not for two at once
}

func (w *room) restart() {
	require.NoError(w.t, w.r.Close())
	w.open()
}

// apply puts a domain with the tables in force, under the version.
func (w *room) apply(version string, tables ...string) *spec.Applied {
	w.t.Helper()
	text := domainText
	from := strings.Index(text, "      - {name: rid")
	to := strings.Index(text, "templates: []")
	text = text[:from] + exactFields + text[to:]
	var ids []string
	for _, t := range tables {
		ids = append(ids, strings.TrimSuffix(strings.Fields(t)[1], ","))
	}
	text = strings.NewReplacer("KEY", w.keys["shuju"].Public().String(), "KEZ", w.keys["zhujian"].Public().String(),
		"identifier: resident_id", "identifier: opaque", `version: "2026-10"`, `version: "`+version+`"`,
		"tables: [homes]", "tables: ["+strings.Join(ids, ", ")+"]",
		"  - {id: homes, dataset: housing, group_by: [district], measures: [{kind: count}]}\n", "  - "+strings.Join(tables, "\n  - ")+"\n",
	).Replace(text)
	d, err := governance.ParseDomain([]byte(text))
	require.NoError(w.t, err)
	var signed []governance.Approval
	for id, role := range map[string]string{"shuju": governance.AsAuthority, "zhujian": governance.AsProvider} {
		a, err := governance.SignApproval(d, governance.ObjectScenario, "housing-service", id, role, w.keys[id])
		require.NoError(w.t, err)
		signed = append(signed, a)
	}
	approvals, err := governance.MarshalApprovals(signed)
	require.NoError(w.t, err)
	out, err := w.r.Apply(context.Background(), &spec.Change{Party: Local, Domain: []byte(text), Approvals: approvals})
	require.NoError(w.t, err)
	return out
}

// ask gives the figures shown, by keys; a withheld cell is "-".
func (w *room) ask(table string) (map[string]string, error) {
	w.t.Helper()
	w.n++
	rel, err := w.r.Answer(context.Background(), &spec.Question{Kind: spec.Table, Party: "bank", Scenario: "housing-service",
		Query: table, Key: fmt.Sprintf("key-%d-0000000000000000", w.n), KeyTime: noon})
	if err != nil {
		return nil, err
	}
	o, err := rel.Open()
	require.NoError(w.t, err)
	out := map[string]string{}
	for _, c := range o.Body.(release.Table).Cells {
		out[strings.Join(c.Keys, "/")] = "-"
		if !c.Withheld {
			out[strings.Join(c.Keys, "/")] = strings.Join(c.Values, " ")
		}
	}
	return out, nil
}

func (w *room) shown(table string) map[string]string {
	w.t.Helper()
	out, err := w.ask(table)
	require.NoError(w.t, err)
	return out
}

func (w *room) refused(table string, rule governance.Rule) {
	w.t.Helper()
	_, err := w.ask(table)
	var denied *release.Denied
	require.True(w.t, errors.As(err, &denied), "%v", err)
	require.Equal(w.t, rule, denied.Refusal.Rule)
}

func (w *room) close() { require.NoError(w.t, w.r.Close()) }

// Two lawful tables, everybody and those below 60, differ by three people of one district: the second
// one's cell of that district is withheld, and stays so over restarts, in an alias and beside more tables.
func TestExactTables_DifferenceOfThreeIsWithheld(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	applied := w.apply("1", allByDistrict, below60)
	require.Equal(t, []spec.Registered{{Dataset: "housing", Version: "1", Templates: []string{"all", "below60"}, OK: true}}, applied.Findings)
	first, second := w.shown("all"), w.shown("below60")
	require.Equal(t, map[string]string{"d0": "30", "d1": "30", "d2": "30", "d3": "30"}, first)
	require.Equal(t, "-", second["d0"])
	require.Equal(t, "30", second["d3"])

	reads := w.book.reads
	w.restart()
	require.Equal(t, reads+1, w.book.reads, "patterns come from the log; the registry is read in beside")
	require.Equal(t, first, w.shown("all"))
	require.Equal(t, second, w.shown("below60"))

	size := w.r.log.Size()
	applied = w.apply("1", fromAbove, allByDistrict, below60)
	require.Empty(t, applied.Findings, "an alias costs nothing new")
	require.Equal(t, size+1, w.r.log.Size(), "and no frame but the domain's")
	require.Equal(t, second, w.shown("alias60"))
	require.Equal(t, first, w.shown("all"), "the earlier one keeps its pattern")
}

// The order of registration decides: what was registered earlier keeps its pattern also when a new file
// lists another table first, and when it does not list the earlier one any more.
func TestExactTables_EarlierTablesKeepTheirPattern(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w := newRoom(t, town())
		w.apply("1", below60)
		require.Equal(t, map[string]string{"d0": "27", "d1": "20", "d2": "30", "d3": "30"}, w.shown("below60"))
		if restart {
			w.restart()
		}
		w.apply("1", allByDistrict)
		require.Equal(t, "-", w.shown("all")["d0"], "below60 was told, though the file has forgotten it")
		w.refused("below60", governance.TableUnregistered)
		w.apply("1", allByDistrict, below60)
		require.Equal(t, "27", w.shown("below60")["d0"])
		w.close()
	}
}

// A new version registers anew, in the order of its file.
func TestExactTables_NewVersionRegistersAnew(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	w.apply("1", allByDistrict, below60)
	require.Equal(t, "-", w.shown("below60")["d0"])
	w.apply("2", below60, allByDistrict)
	require.Equal(t, "27", w.shown("below60")["d0"])
	require.Equal(t, "-", w.shown("all")["d0"])
}

// Data exchanged under the same version: nothing is answered on it until it is judged, and then no cell
// is shown that was withheld before.
func TestExactTables_OtherDataUnderOneVersion(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	w.apply("1", allByDistrict, below60)
	for i := range w.book.rows {
		if w.book.rows[i][2] == "60" {
			w.book.rows[i][2] = "59"
		}
	}
	w.refused("all", governance.TableUnregistered)
	w.restart()
	require.Equal(t, "30", w.shown("all")["d0"])
	require.Equal(t, "-", w.shown("below60")["d0"], "withheld before, though nobody is 60 now")
}

// A register that cannot be read leaves its tables unregistered until it can.
func TestExactTables_UnreadableRegister(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	w.book.broken = true
	applied := w.apply("1", allByDistrict)
	require.Equal(t, string(governance.DatasetMissing), applied.Findings[0].Rule)
	w.refused("all", governance.TableUnregistered)
	w.book.broken = false
	w.restart()
	require.Equal(t, "30", w.shown("all")["d0"])
}

// A register that cannot even be described leaves its tables unregistered, and the rest of the file in force.
func TestTables_RegisterThatIsAway(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	w.book.away = true
	applied := w.apply("1", allByDistrict)
	require.Equal(t, []spec.Registered{{Dataset: "housing", Version: "1", Templates: []string{"all"}, Rule: string(governance.DatasetMissing)}}, applied.Findings)
	w.refused("all", governance.TableUnregistered)
	w.book.away = false
	applied = w.apply("1", allByDistrict)
	require.True(t, applied.Findings[0].OK)
	require.Equal(t, "30", w.shown("all")["d0"])
}

// A table of which no cell is safe beside the earlier ones is not registered.
func TestExactTables_UnsafeTableIsRefused(t *testing.T) {
	b := town()
	for i := range b.rows { // two of each district are 60, so no cell of the second table is safe
		b.rows[i][2] = "30"
		if i < 8 {
			b.rows[i][2] = "60"
		}
	}
	w := newRoom(t, b)
	defer func() { w.close() }()
	applied := w.apply("1", allByDistrict, below60)
	require.Contains(t, applied.Findings, spec.Registered{Dataset: "housing", Version: "1", Templates: []string{"below60"}, Rule: string(governance.SmallCell)})
	w.refused("below60", governance.TableUnregistered)
	require.Equal(t, "30", w.shown("all")["d0"])
	w.restart()
	w.refused("below60", governance.TableUnregistered)
}

// Figures over a field that most lack are about
// those who have it.
func TestExactTables_SumsAreJudgedOverValues(t *testing.T) {
	b := town()
	for i := range b.rows { // in d0, of those of 20 to 29 only three have a wage
		if age := b.rows[i][2]; i%4 == 0 && age < "30" && i > 20 {
			b.rows[i][3] = ""
		}
	}
	sum := `{id: wages, dataset: housing, group_by: [district], measures: [{kind: sum, field: wage}]}`
	older := `{id: older, dataset: housing, filters: [{field: age, op: ">=", value: "30"}], group_by: [district], measures: [{kind: sum, field: wage}]}`
	count := `{id: heads, dataset: housing, filters: [{field: age, op: ">=", value: "30"}], group_by: [district], measures: [{kind: count}]}`
	w := newRoom(t, b)
	defer func() { w.close() }()
	w.apply("1", sum, older)
	require.NotEqual(t, "-", w.shown("wages")["d0"])
	require.Equal(t, "-", w.shown("older")["d0"], "the difference is the wages of a few")
	require.NotEqual(t, "-", w.shown("older")["d1"])
	w.apply("1", sum, older, count)
	require.NotEmpty(t, slices.Collect(func(yield func(string) bool) {
		for _, v := range w.shown("heads") {
			if v != "-" && !yield(v) {
				return
			}
		}
	}))
}

// After a restart one reading serves all the earlier tables, and their patterns hold.
func TestExactTables_OneReadingForAllEarlierTables(t *testing.T) {
	w := newRoom(t, town())
	defer func() { w.close() }()
	byLien := `{id: lien, dataset: housing, group_by: [lien], measures: [{kind: count}]}`
	cross := `{id: cross, dataset: housing, group_by: [district, lien], measures: [{kind: count}]}`
	w.apply("1", allByDistrict, below60, byLien)
	before := w.shown("below60")
	reads := w.book.reads
	w.restart()
	w.apply("1", allByDistrict, below60, byLien, cross)
	require.Equal(t, reads+2, w.book.reads, "one for the three after the start, one for the new table")
	require.Equal(t, before, w.shown("below60"))
}
