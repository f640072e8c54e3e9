package release

import (
	"encoding/json"
	"fmt"

	"github.com/yumen-project/yumen/gateway/receipt"
)

// ReadStatement reads the statement in the frame of a release.
func ReadStatement(text []byte) (*receipt.Statement, error) {
	s, err := receipt.ParseStatement(text)
	if err != nil {
		return nil, fmt.Errorf("%w: statement", ErrStored)
	}
	return s, nil
}

// Refused is who was refused what, and by which rule. It names no subject.
type Refused struct {
	Party, Scenario, Act, Query, Rule string
	// Count is how many refusals the entry stands for; 0 is one.
	Count int64
}

// ReadRefusal gives what the private body of a refusal says.
func ReadRefusal(body []byte) (*Refused, error) {
	var d denial
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fmt.Errorf("%w: refusal", ErrStored)
	}
	return &Refused{Party: d.Party, Scenario: d.Scenario, Act: d.Act, Query: d.Query, Rule: d.Rule, Count: d.Count}, nil
}
