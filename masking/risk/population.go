package risk

import "errors"

// PopulationEstimate says how many records of a sample are alone in the
// population, as estimated; shares of the sample's records.
type PopulationEstimate struct {
	Population   int64   `json:"population"`    // persons, as given
	Estimator    string  `json:"estimator"`     // "zayatz"
	UniqueIfOne  float64 `json:"unique_if_one"` // probability that a sample unique is unique in the population
	SampleShare  float64 `json:"sample_share"`  // records unique in sample and population
	PeopleUnique float64 `json:"people_unique"` // estimated uniques of the population, a number of persons
}

// Zayatz estimates population uniqueness (Zayatz, Estimation of the number of
// unique population elements using a sample, 1991): population classes are
// taken to be sized as the sample's, and by Bayes
//
//	P(1 in population | 1 in sample) = S1 h(1) / sum over j of Sj h(j)
//
// with Sj the sample's classes of size j and h(j) = P(exactly one of j persons
// is drawn), hypergeometric. It tends to overstate at small sampling shares.
// It is an estimate under a model and proves nothing.
func (s Sizes) Zayatz(population int64) (*PopulationEstimate, error) {
	n := s.Records()
	if n == 0 || population < n {
		return nil, errors.New("estimate uniqueness: want a sample and a population of at least its size")
	}
	e := &PopulationEstimate{Population: population, Estimator: "zayatz"}
	ones := float64(s.count(1))
	if ones == 0 {
		return e, nil
	}
	share := float64(n) / float64(population)
	var sum float64
	for _, x := range s {
		sum += float64(x.Classes) * drawnOnce(population, x.Size, n)
	}
	e.UniqueIfOne = ones * share / sum // h(1) is the sampling share
	e.SampleShare = ones * e.UniqueIfOne / float64(n)
	e.PeopleUnique = ones * e.UniqueIfOne / share
	return e, nil
}

// drawnOnce is the hypergeometric probability that of j persons among N
// exactly one is in a sample of n: j C(N-j, n-1) / C(N, n), as a product.
func drawnOnce(population, j, n int64) float64 {
	p := float64(j) * (float64(n) / float64(population))
	for i := int64(0); i < j-1 && p > 0; i++ {
		p *= float64(max(0, population-n-i)) / float64(population-1-i)
	}
	return p
}
