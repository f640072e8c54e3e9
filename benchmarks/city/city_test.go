package city

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/yumen-project/yumen/masking/identifier"
)

func newCity(t testing.TB, p Params) *City {
	t.Helper()
	c, err := New(p)
	require.NoError(t, err)
	return c
}

func TestParams(t *testing.T) {
	for _, p := range []Params{
		{}, {Persons: -1}, {Persons: MaxPersons + 1}, {Persons: 1, Dirt: 1.1}, {Persons: 1, Invalid: 2},
		{Persons: 1, Invalid: -0.1}, {Persons: 1, Dirt: math.NaN()}, {Persons: 1, Invalid: math.NaN()},
	} {
		_, err := New(p)
		require.ErrorIs(t, err, ErrParams)
	}
	require.Greater(t, newLayout().places, uint64(MaxPersons))
	require.LessOrEqual(t, newLayout().places, uint64(1)<<26)
}

// Every share that a registered question relies on lies well inside 12.5% to
// 87.5% of the roster, for any seed and a small city too. With 3,000 persons
// the nearest share is 2.5 deviations or more from the bound.
func TestSharesOfTheRoster(t *testing.T) {
	for _, size := range []int{3_000, 50_000} {
		for seed := range uint64(4) {
			c := newCity(t, Params{Persons: size, Seed: seed})
			n := map[string]int{}
			for i := range size {
				p := c.Person(i)
				count(n, "owns home", p.OwnsHome())
				count(n, "in civil", p.InCivil)
				count(n, "insured", p.Insured)
				count(n, "single", p.Marital == Single)
				count(n, "months>=24", p.Months >= 24)
				count(n, "months>=12", p.Months >= 12)
				count(n, "certified", p.Certified)
				count(n, "debtor", p.Debtor)
				count(n, "objection", p.Objection)
				count(n, "man", p.Sex == Man)
				count(n, "several homes", len(p.Homes) > 1)
			}
			share := func(what string) float64 { return float64(n[what]) / float64(size) }
			for _, what := range []string{"owns home", "single", "months>=24", "months>=12", "certified"} {
				require.Greaterf(t, share(what), 0.14, what)
				require.Lessf(t, share(what), 0.86, what)
			}
			require.InDelta(t, 0.45, share("owns home"), 0.03)
			require.InDelta(t, 0.765, share("in civil"), 0.03)
			require.InDelta(t, 0.40, share("months>=24"), 0.03)
			require.InDelta(t, 0.60, share("months>=12"), 0.03)
			require.InDelta(t, 0.5, share("man"), 0.035)
			require.InDelta(t, 0.10, share("several homes"), 0.03)
			require.InDelta(t, 0.011, share("debtor"), 0.008)
			require.InDelta(t, 0.002, share("objection"), 0.003)
			require.Greater(t, 1-share("in civil"), 0.14, "absent from the civil register")
			require.Greater(t, 1-share("insured"), 0.14, "absent from the insurance register")
			t.Logf("persons %d seed %d: single %.3f certified %.3f insured %.3f months>=24 %.3f >=12 %.3f homes %.3f",
				size, seed, share("single"), share("certified"), share("insured"), share("months>=24"), share("months>=12"), share("owns home"))
		}
	}
}

func count(n map[string]int, what string, yes bool) {
	if yes {
		n[what]++
	}
}

func TestPersonsAreValidAndDistinct(t *testing.T) {
	const size = 40_000
	c := newCity(t, Params{Persons: size, Seed: 7})
	rids, homes, districts := map[string]bool{}, map[string]bool{}, map[string]int{}
	families := map[string]string{}
	for i := range size {
		p := c.Person(i)
		require.Equal(t, i, p.Index)
		canonical(t, identifier.ResidentID, p.RID)
		canonical(t, identifier.Mobile, p.Phone)
		canonical(t, identifier.PersonName, p.Name)
		require.False(t, rids[p.RID], "a number twice")
		rids[p.RID] = true
		districts[p.District]++
		if d, known := families[p.HouseholdID]; known {
			require.Equal(t, d, p.District, "a household lives in one district")
		}
		families[p.HouseholdID] = p.District
		require.Equal(t, p.Birth.Format("20060102"), p.RID[6:14])
		require.Equal(t, p.Sex == Man, (p.RID[16]-'0')%2 == 1)
		requireDates(t, &p)
		for _, h := range p.Homes {
			require.False(t, homes[h.ID], "a home twice")
			homes[h.ID] = true
			require.True(t, h.AreaCenti >= 1800 && h.AreaCenti <= 60000)
			require.True(t, h.ValueCents > 0 && h.Built <= 2026)
		}
		if p.Insured {
			canonical(t, identifier.CreditCode, p.Employer)
			require.True(t, p.Months >= 1 && p.WageCents > 0 && p.WageCents < 1e10)
		}
	}
	require.Len(t, districts, 10)
	require.Greater(t, districts["220204"], 5*districts["220272"])
	require.InDelta(t, size/2.9, len(families), size/20)
}

func canonical(t *testing.T, k identifier.Kind, v string) {
	t.Helper()
	got, err := identifier.Canonical(k, v)
	require.NoError(t, err)
	require.Equal(t, v, got)
}

func requireDates(t *testing.T, p *Person) {
	t.Helper()
	require.False(t, p.Birth.After(AsOf()))
	require.False(t, p.Birth.AddDate(p.Age, 0, 0).After(AsOf().AddDate(0, 0, 1)))
	require.True(t, p.Birth.AddDate(p.Age+1, 0, 0).After(AsOf()))
	require.Equal(t, p.Age >= 20, p.InCivil)
	require.Equal(t, p.InCivil && p.Marital != Single, !p.Registered.IsZero())
	require.Equal(t, p.Marital == Married, p.SpouseRegion != "")
	if !p.Registered.IsZero() {
		require.False(t, p.Registered.After(AsOf()))
		require.True(t, p.Registered.After(p.Birth.Add(20*365*24*time.Hour)))
	}
}

// Person i is a function of the seed and i: neither the size of the city nor
// the share of dirt has a part in it.
func TestPersonDependsOnSeedAndIndexAlone(t *testing.T) {
	small := newCity(t, Params{Persons: 1_000, Seed: 3})
	large := newCity(t, Params{Persons: MaxPersons, Seed: 3, Dirt: 1, Invalid: 1})
	other := newCity(t, Params{Persons: 1_000, Seed: 4})
	for i := range 1_000 {
		require.Equal(t, small.Person(i), large.Person(i))
		require.NotEqual(t, small.Person(i).RID, other.Person(i).RID)
	}
	require.Equal(t, -1, small.Person(-1).Index)
	require.Equal(t, -1, small.Person(1_000).Index)
}

// The values are pinned: a change of the generator changes every published
// figure and must be seen.
func TestKnownPerson(t *testing.T) {
	require.Equal(t, Person{
		Index: 5, RID: "220272195108220168", Name: "傅悦宁", Phone: "13731944510",
		Birth: time.Date(1951, 8, 22, 0, 0, 0, 0, time.UTC), Age: 75, Sex: "女",
		District: "220283", HouseholdID: "220283H165913370", Kind: "农村",
		InCivil: true, Marital: "丧偶", Registered: time.Date(1982, 2, 14, 0, 0, 0, 0, time.UTC),
		Homes: []Home{
			{ID: "220283F189478542", AreaCenti: 7981, District: "220283", Built: 2024, Mortgaged: true, ValueCents: 18747369},
			{ID: "220283F168277209", AreaCenti: 4972, District: "220283", Built: 1970, ValueCents: 8218716},
		},
		Insured: true, Employer: "91220281MA0748955K", Months: 14, WageCents: 462840, Industry: "居民服务", Certified: true,
	}, newCity(t, Params{Persons: 10, Seed: 1}).Person(5))
}

func TestPermutationIsBijective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Uint64Range(1, 3_000).Draw(t, "size")
		p := newPermutation(rapid.Uint64().Draw(t, "seed"), streamBirths, size)
		seen := make([]bool, size)
		for x := range size {
			y := p.at(x)
			require.Less(t, y, size)
			require.False(t, seen[y])
			seen[y] = true
		}
	})
}

func TestQuantile(t *testing.T) {
	for _, q := range []quantile{areas, years, tenures, wages} {
		require.Equal(t, 0, q[0].share)
		require.Equal(t, 1000, q[len(q)-1].share)
		last := q.at(0)
		for u := 0; u <= 1_000_000; u += 997 {
			require.GreaterOrEqual(t, q.at(u), last)
			last = q.at(u)
		}
		require.Equal(t, q[len(q)-1].value, q.at(1_000_000))
	}
}

func TestStrangersAreValidAndNoCitizens(t *testing.T) {
	c := newCity(t, Params{Persons: 5_000, Seed: 1})
	seen := map[string]bool{}
	for i := range 5_000 {
		seen[c.Person(i).RID] = true
	}
	for n := 0; n < MaxPersons; n += 9_973 {
		id, err := c.Stranger(n)
		require.NoError(t, err)
		canonical(t, identifier.ResidentID, id)
		require.False(t, seen[id])
		seen[id] = true
	}
	_, err := c.Stranger(-1)
	require.ErrorIs(t, err, ErrParams)
	_, err = c.Stranger(MaxPersons)
	require.ErrorIs(t, err, ErrParams)
}
