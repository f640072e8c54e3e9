package agent

import (
	"errors"
	"io/fs"
)

// A person's decision on a waiting plan is a sealed record of its own, so that it
// may be made while the agent serves.
const (
	yes = "yes"
	no  = "no"
)

func decisionName(query Hash) string { return "decision-" + query.String() }

// decision reads what a person decided; empty: nothing yet. It is bound to the plan
// and openings that the person was shown.
func (a *Agent) decision(hash Hash, q *queryNote) (string, error) {
	if q.Stage != Waiting {
		return "", nil
	}
	b, err := a.store.load(decisionName(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, word := range []string{yes, no} {
		if string(b) == decisionText(word, q) {
			return word, nil
		}
	}
	return "", nil
}

func decisionText(word string, q *queryNote) string {
	return word + " " + q.Plan.String() + " " + q.Own.String()
}
