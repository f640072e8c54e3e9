package job

import (
	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/release"
)

// state is what a question is answered under: the policy in force and the datasets as they are
// mounted. It is replaced as a whole and never altered.
type state struct {
	policy   *governance.Policy
	datasets map[string]*mounted
	tables   map[string]*exact // registered exact tables by id
}

// mounted is a dataset with templates: its index and what registration found.
type mounted struct {
	// set holds one index; the next state shares it where the index stays.
	set *lookup.Set
	// name of the index begins with its version; previous is the one before, kept for rollback.
	version, name, previous string
	program                 *lookup.Program
	templates               map[string]*template
	// cited is how a result names its source.
	cited receipt.Dataset
}

// template is a registered verification, ready to be asked.
type template struct {
	predicate  int
	identity   bool
	registered bool
	exempt     bool // consented or rare class: the share rule is off
	// mergeAbsent and mergeWithheld say that an absent or withheld subject answers as "no" does.
	mergeAbsent, mergeWithheld bool
	technique                  receipt.Technique
}

// code maps what the index found to the published table, as the template declares.
func (t *template) code(a lookup.Answer) release.Code {
	no, yes := release.No, release.Yes
	if t.identity {
		no, yes = release.Mismatch, release.Match
	}
	switch a {
	case lookup.Yes, lookup.Match:
		return yes
	case lookup.Withheld:
		if !t.mergeWithheld {
			return release.Withheld
		}
		fallthrough
	case lookup.NotFound:
		if !t.mergeAbsent {
			return release.NotFound
		}
	}
	return no
}

func (s *state) template(dataset, id string) (*mounted, *template) {
	m := s.datasets[dataset]
	if m == nil {
		return nil, nil
	}
	return m, m.templates[id]
}
