package risk

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Attack is the risk of re-identification under three attackers (El Emam,
// Guide to the De-Identification of Personal Health Information, 2013; Dankar
// and El Emam 2010). All are shares from 0 to 1.
//
// The prosecutor knows that the person is in the table: a record's risk is 1 /
// its class. The journalist knows only a population that the table was drawn
// from: 1 / the population's class. The marketer wants as many as possible:
// the expected share matched rightly. Without a population the table is taken
// for it, which is never lower.
type Attack struct {
	ProsecutorMax     float64 `json:"prosecutor_max"`
	ProsecutorAverage float64 `json:"prosecutor_average"`
	ProsecutorAtRisk  float64 `json:"prosecutor_at_risk"` // records above the threshold
	JournalistMax     float64 `json:"journalist_max"`
	JournalistAverage float64 `json:"journalist_average"`
	JournalistAtRisk  float64 `json:"journalist_at_risk"`
	Marketer          float64 `json:"marketer"`
	Threshold         float64 `json:"threshold"` // of a record at risk
	FromPopulation    bool    `json:"from_population"`
}

// Attack computes the risks with the table for the population. A record is at
// risk above the threshold.
func (s Sizes) Attack(threshold float64) Attack {
	a := Attack{Threshold: threshold}
	n := s.Records()
	if n == 0 {
		return a
	}
	var risky int64
	for _, x := range s {
		if 1/float64(x.Size) > threshold {
			risky += x.Size * x.Classes
		}
	}
	a.ProsecutorMax = 1 / float64(s.K())
	a.ProsecutorAverage = float64(s.Classes()) / float64(n)
	a.ProsecutorAtRisk = float64(risky) / float64(n)
	a.JournalistMax, a.JournalistAverage, a.JournalistAtRisk = a.ProsecutorMax, a.ProsecutorAverage, a.ProsecutorAtRisk
	a.Marketer = a.ProsecutorAverage
	return a
}

// ErrNotDrawn: the table has more records of some class than the population:
// it was not drawn from it, or the two were generalised differently.
var ErrNotDrawn = errors.New("the table was not drawn from this population")

// Pair is the size of a class in the table and in the population.
type Pair struct {
	Table, Population, Classes int64
}

// Against joins the classes of a table with those of the population it was
// drawn from, counted over the same columns, types and generalisation. Classes
// of the population without a record of the table have Table 0.
func (c *Classes) Against(population *Classes) ([]Pair, error) {
	if len(c.names) != len(population.names) {
		return nil, errors.New("join with population: other columns")
	}
	for i, name := range c.names {
		own, other := c.schema.Field(c.encs[i].column).Type, population.schema.Field(population.encs[i].column).Type
		if population.names[i] != name || own.Fingerprint() != other.Fingerprint() {
			return nil, fmt.Errorf("join with population: column %q: want the same column and type", name)
		}
	}
	for key, id := range c.at {
		in, ok := population.at[key]
		if !ok || population.counts[in] < c.counts[id] {
			return nil, ErrNotDrawn
		}
	}
	many := make(map[Pair]int64)
	for key, id := range population.at {
		p := Pair{Population: population.counts[id]}
		if own, ok := c.at[key]; ok {
			p.Table = c.counts[own]
		}
		many[p]++
	}
	pairs := make([]Pair, 0, len(many))
	for p, n := range many {
		p.Classes = n
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(a, b Pair) int {
		if a.Table != b.Table {
			return int(min(1, max(-1, a.Table-b.Table)))
		}
		return int(min(1, max(-1, a.Population-b.Population)))
	})
	return pairs, nil
}

// AttackFrom computes the risks with a population.
func AttackFrom(pairs []Pair, threshold float64) Attack {
	own := make(map[int64]int64)
	for _, p := range pairs {
		if p.Table > 0 {
			own[p.Table] += p.Classes
		}
	}
	var s Sizes
	for _, size := range slices.Sorted(maps.Keys(own)) {
		s = append(s, SizeCount{size, own[size]})
	}
	a := s.Attack(threshold)
	a.FromPopulation = true
	n := s.Records()
	if n == 0 {
		return a
	}
	least := int64(math.MaxInt64)
	var matched, classes, covered float64
	var risky int64
	for _, p := range pairs {
		if p.Table == 0 {
			continue
		}
		least = min(least, p.Population)
		matched += float64(p.Classes) * float64(p.Table) / float64(p.Population)
		classes += float64(p.Classes)
		covered += float64(p.Classes) * float64(p.Population)
		if 1/float64(p.Population) > threshold {
			risky += p.Table * p.Classes
		}
	}
	a.JournalistMax = 1 / float64(least)
	a.Marketer = matched / float64(n)
	a.JournalistAverage = max(classes/covered, a.Marketer)
	a.JournalistAtRisk = float64(risky) / float64(n)
	return a
}

// Presence is delta-presence (Nergiz, Atzori and Clifton 2007): over the
// persons of the population, the least and the greatest probability of being
// in the table, as the classes betray it. Both 0 without a population.
func Presence(pairs []Pair) (least, most float64) {
	for i, p := range pairs {
		share := float64(p.Table) / float64(p.Population)
		if i == 0 || share < least {
			least = share
		}
		most = max(most, share)
	}
	return least, most
}
