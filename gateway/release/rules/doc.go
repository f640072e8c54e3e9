// Package rules holds what the gate checks: one rule a file, each with the requirement it serves.
package rules

import "github.com/yumen-project/yumen/gateway/release"

// All returns every rule, in the order in which they are checked and reported.
func All() []release.Rule {
	return []release.Rule{
		Registered{}, AnswerCode{}, Share{}, SmallCell{Least: release.MinimumSubjects},
		OpenIdentifiers{}, KAnonymity{}, Suppression{}, Purpose{}, Source{},
	}
}

// finding makes the one-element result of a rule; refuse is empty for a pass.
func passed(rule, threshold string) []release.Finding {
	return []release.Finding{{Rule: rule, Threshold: threshold, Outcome: release.Passed}}
}
