package encrypted

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yumen-project/yumen/compute/he/plan"
)

// Question is a query in plain words, as a command line gives it.
type Question struct {
	Kind, Aggregate, Scenario, Requester, Purpose string
	Datasets                                      [][2]string // name and version
	Columns                                       []string    // DATASET.FIELD.LANE or DATASET.FIELD.LANE*WEIGHT
	Sections, Groups                              []string
	Valid                                         time.Duration
}

// ErrQuestion: a column or dataset is not of its form; correct it.
var ErrQuestion = errors.New("encrypted: question refused")

// Query makes the query of a moment.
func (q *Question) Query(now time.Time) (*plan.Query, error) {
	out := &plan.Query{Kind: plan.Kind(q.Kind), Aggregate: q.Aggregate, Scenario: q.Scenario, Requester: q.Requester, Purpose: q.Purpose,
		Sections: q.Sections, Groups: q.Groups, Time: now.Unix(), Expiry: now.Add(q.Valid).Unix()}
	for _, d := range q.Datasets {
		out.Datasets = append(out.Datasets, plan.Ref{Dataset: d[0], Version: d[1]})
	}
	slices.SortFunc(out.Datasets, func(a, b plan.Ref) int { return strings.Compare(a.Dataset, b.Dataset) })
	for i, text := range q.Columns {
		name, weight, weighted := strings.Cut(text, "*")
		parts := strings.Split(name, ".")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%w: column %d: want DATASET.FIELD.LANE", ErrQuestion, i+1)
		}
		c := plan.Column{Dataset: parts[0], Field: parts[1], Lane: parts[2]}
		if weighted {
			var err error
			if c.Weight, err = strconv.ParseInt(weight, 10, 64); err != nil {
				return nil, fmt.Errorf("%w: column %d: weight", ErrQuestion, i+1)
			}
		}
		out.Columns = append(out.Columns, c)
	}
	_, err := out.SigningBytes() // checks the form
	return out, err
}

// Lines are the numbers of the result as text.
func (o *Outcome) Lines() []string {
	var list []string
	for _, l := range o.Result.Lines {
		head := ""
		if l.Label != "" {
			head = strconv.Quote(l.Label) + " "
		}
		list = append(list, fmt.Sprintf("%srecords %d", head, l.Rows))
		for _, f := range l.Figures {
			list = append(list, head+f.Name+" "+f.Text)
		}
	}
	return list
}

// Exact gives the exact numbers of the result by label and name; nil where a number is
// not rational or not defined.
func (o *Outcome) Exact(each func(label, name string, exact *big.Rat, text string)) {
	for _, l := range o.Result.Lines {
		for _, f := range l.Figures {
			each(l.Label, f.Name, f.Exact, f.Text)
		}
	}
}
