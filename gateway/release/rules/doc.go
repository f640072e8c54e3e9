// Package rules holds what the gate checks: one rule a file, each with the requirement it serves.
package rules

import "github.com/yumen-project/yumen/gateway/release"

// All returns every rule, in the order in which they are checked and reported.
func All() []release.Rule {
	return []release.Rule{
		Registered{}, AnswerCode{}, Share{}, SmallCell{}, Dominance{}, Private{},
		OpenIdentifiers{}, KAnonymity{}, Suppression{},
		EncryptedSubjects{}, EncryptedDominance{}, EncryptedScalars{}, EncryptedApprovals{}, Purpose{}, Source{}, Sample{},
	}
}

// passed is the one finding of a rule that holds.
func passed(rule, threshold string) []release.Finding {
	return []release.Finding{{Rule: rule, Threshold: threshold, Outcome: release.Passed}}
}
