package governance

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/keyring"
)

// agentKey gives the hex of a fresh key.
func agentKey(t testing.TB, p keyring.Purpose) string {
	t.Helper()
	k, err := keyring.GenerateSigner(p, rand.Reader)
	require.NoError(t, err)
	return k.Public().String()
}

// encrypted adds to the fixture three holders, their key sets and an aggregate over two providers' data.
func encrypted(t testing.TB) []edit {
	t.Helper()
	holder := func(id string) edit {
		return edit{"  - {id: " + id + ",", `  - {agent_key: "` + agentKey(t, keyring.Agent) + `", envelope_key: "` + agentKey(t, keyring.Envelope) + `", id: ` + id + ","}
	}
	return []edit{holder("shuju"), holder("exchange"), holder("inspector"),
		{"agreements:\n", `key_sets:
  - {id: ks-housing, use: add, datasets: [housing], holders: [shuju, exchange, inspector], threshold: 2, until: 2027-12-31}
  - {id: ks-insurance, use: add, datasets: [insurance], holders: [shuju, exchange, inspector], threshold: 2, until: 2027-12-31}
  - {id: ks-both, use: mul, datasets: [housing, insurance], holders: [shuju, exchange, inspector], threshold: 2, until: 2027-12-31}
aggregates:
  - id: area-months
    kind: correlation
    columns:
      - {dataset: housing, field: area, lane: area}
      - {dataset: insurance, field: months, lane: months}
  - {id: mean-months, kind: mean, columns: [{dataset: insurance, field: months, lane: months}]}
agreements:
`},
		{"    masks: []\n", "    masks: []\n    aggregates: [area-months]\n"}}
}

func aggregateAsk(query string) *Ask {
	return &Ask{Party: "bank", Scenario: propertyID, Act: ActAggregate, Query: query, At: noon}
}

func TestAnAggregateIsDecidedLikeAnyQuery(t *testing.T) {
	p := policyOf(t, encrypted(t)...)
	d := permits(t, p, aggregateAsk("area-months"))
	require.Equal(t, "area-months", d.Aggregate.ID)
	require.Equal(t, []string{"housing", "insurance"}, d.Aggregate.Datasets())
	sets := p.Domain().KeySetsOf(d.Aggregate.Datasets()...)
	require.Len(t, sets, 3)
	require.Len(t, p.Domain().KeySetsOf("insurance"), 1)

	require.Equal(t, "九", refuses(t, p, aggregateAsk("mean-months"), AggregateUnregistered).Article, "registered, but not for this scenario")
	refuses(t, p, aggregateAsk("homes-by-district"), AggregateUnregistered)
	a := aggregateAsk("area-months")
	a.Consent, a.Subject = "c-0001", []byte(person)
	refuses(t, p, a, ConsentForeign)
}

// What stops one dataset of an aggregate stops the aggregate.
func TestEveryDatasetOfAnAggregateIsJudged(t *testing.T) {
	edits := encrypted(t)
	p := policyOf(t, edits...)
	for _, s := range []Suspension{{Kind: TargetDataset, ID: "housing"}, {Kind: TargetDataset, ID: "insurance"}, {Kind: TargetParty, ID: "renshe"}} {
		s.Reason, s.By, s.At = "x", "shuju", noon
		q, err := p.WithSuspension(s)
		require.NoError(t, err)
		refuses(t, q, aggregateAsk("area-months"), Suspended)
	}
	second := "      - {name: months, type: int64, class: sensitive, grade: 3}"
	for rule, e := range map[Rule]edit{
		FieldUngraded:     {second, "      - {name: months, type: int64}"},
		DatasetProhibited: {second, strings.Replace(second, "grade: 3", "grade: core", 1)},
		PolicyForbidden:   {second, strings.Replace(second, "grade: 3", "grade: important", 1)},
		DatasetSharing:    {"sharing: open", "sharing: verify_only"},
	} {
		refuses(t, policyOf(t, append(edits, e)...), aggregateAsk("area-months"), rule)
	}
	direct := policyOf(t, append(edits, edit{second, strings.Replace(second, "sensitive", "direct_identifier", 1)})...)
	refuses(t, direct, aggregateAsk("area-months"), PolicyForbidden)
	own := policyOf(t, append(edits, edit{"parties:\n", `policies: |
  forbid (principal == Party::"bank", action == Action::"aggregate", resource) when { resource.dataset == "insurance" };
parties:
`})...)
	refuses(t, own, aggregateAsk("area-months"), PolicyForbidden)
}

// Approvals sign who holds the keys, and what is computed.
func TestApprovalsCoverAggregatesAndHolders(t *testing.T) {
	edits := encrypted(t)
	digest := func(more ...edit) [32]byte {
		sum, err := domainOf(t, append(edits, more...)...).ScenarioDigest(propertyID)
		require.NoError(t, err)
		return sum
	}
	base := digest()
	require.Equal(t, base, digest())
	for _, e := range []edit{
		{"kind: correlation", "kind: covariance"}, {"lane: area}", "lane: size}"}, {"threshold: 2, until", "threshold: 3, until"},
		{"holders: [shuju, exchange, inspector]", "holders: [exchange, shuju, inspector]"},
		{"name: 监管,", "name: 审计,"},
	} {
		require.NotEqual(t, base, digest(e), e.new)
	}
	require.Equal(t, base, digest(edit{"mean-months, kind: mean", "mean-months, kind: sum"}), "an aggregate of another scenario")
}

func TestEveryRuleOnKeySetsAndAggregates(t *testing.T) {
	for _, c := range []struct {
		old, new string
		rule     Rule
		path     string
	}{
		{"use: add, datasets: [housing]", "use: add, datasets: [houses]", DanglingReference, "key_sets[0].datasets[0]"},
		{"use: add, datasets: [housing]", "use: add, datasets: [housing, insurance]", Malformed, "key_sets[0].datasets"},
		{"use: add, datasets: [housing]", "use: xor, datasets: [housing]", Malformed, "key_sets[0].use"},
		{"use: mul, datasets: [housing, insurance]", "use: mul, datasets: [housing]", Malformed, "key_sets[2].datasets"},
		{"holders: [shuju, exchange, inspector]", "holders: [shuju, exchange, yunying]", RoleNotAllowed, "key_sets[0].holders[2]"},
		{"holders: [shuju, exchange, inspector]", "holders: [shuju, exchange, bank]", RoleNotAllowed, "key_sets[0].holders[2]"},
		{"holders: [shuju, exchange, inspector]", "holders: [shuju, exchange, zhujian]", Malformed, "key_sets[0].holders[2]"},
		{"holders: [shuju, exchange, inspector]", "holders: [shuju, exchange, nobody]", DanglingReference, "key_sets[0].holders[2]"},
		{"holders: [shuju, exchange, inspector]", "holders: [shuju]", Malformed, "key_sets[0].holders"},
		{"threshold: 2, until", "threshold: 1, until", Malformed, "key_sets[0].threshold"},
		{"threshold: 2, until: 2027-12-31}", "threshold: 2, scalars: 65537, until: 2027-12-31}", Malformed, "key_sets[0].scalars"},
		{"field: area, lane: area}", "field: room, lane: area}", FieldUnknown, "aggregates[0].columns[0]"},
		{"field: area, lane: area}", "field: area, lane: area, weight: 3}", Malformed, "aggregates[0].columns[0]"},
		{"{dataset: housing, field: area,", "{dataset: household, field: age,", DanglingReference, "aggregates[0].columns[0]"},
		{"kind: correlation", "kind: median", Malformed, "aggregates[0].kind"},
		{"id: mean-months", "id: area-months", DuplicateID, "aggregates[1].id"},
		{"aggregates: [area-months]", "aggregates: [area-year]", AggregateUnregistered, "scenarios[0].aggregates[0]"},
		{"id: ks-insurance", "id: ks-housing", DuplicateID, "key_sets[1].id"},
	} {
		t.Run(c.path+" "+string(c.rule), func(t *testing.T) {
			_, err := ParseDomain([]byte(textOf(t, append(encrypted(t), edit{c.old, c.new})...)))
			var all FileErrors
			require.ErrorAs(t, err, &all)
			require.Equal(t, c.rule, all[0].Rule, err)
			require.Equal(t, c.path, all[0].Path)
		})
	}
	same := agentKey(t, keyring.Agent)
	_, err := ParseDomain([]byte(textOf(t, edit{"  - {id: exchange,", `  - {agent_key: "` + same + `", envelope_key: "` + same + `", id: exchange,`})))
	require.ErrorContains(t, err, "envelope_key")
}

// The keys of an agent change only under the party's own signature.
func TestAgentKeysArePinned(t *testing.T) {
	first := policyOf(t)
	d := domainOf(t, edit{"  - {id: zhujian,", `  - {agent_key: "` + agentKey(t, keyring.Agent) + `", id: zhujian,`})
	var e *FileError
	_, err := NewPolicy(first, d, sign(t, d), noon)
	require.ErrorAs(t, err, &e)
	require.Equal(t, KeyPinned, e.Rule)
	byHolder, err := SignApproval(d, ObjectPartyKey, "zhujian", "zhujian", AsHolder, keys()["zhujian"])
	require.NoError(t, err)
	next, err := NewPolicy(first, d, append(sign(t, d), byHolder), noon)
	require.NoError(t, err)
	again, err := NewPolicy(next, d, sign(t, d), noon)
	require.NoError(t, err)
	permits(t, again, ask())
}

func TestAMaskMayUseEveryTechnique(t *testing.T) {
	for _, technique := range MaskTechniques() {
		column := "{name: district, technique: " + technique
		for _, keyed := range KeyedTechniques() {
			if keyed == technique {
				column += ", key: k1"
			}
		}
		d := domainOf(t, edit{"{name: district, technique: keep}", column + ", nulls: suppress, malformed: suppress}"},
			edit{`max_suppression: "0.10"`, `max_suppression: "0.10"` + "\n    sample: {column: rid, rate: \"0.01\"}"})
		text, err := d.Canonical()
		require.NoError(t, err)
		back, err := ParseDomain(text)
		require.NoError(t, err)
		require.Equal(t, technique, back.Masks[0].Columns[1].Technique)
		require.Equal(t, "0.01", back.Masks[0].Sample.Rate)
	}
}
