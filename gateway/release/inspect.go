package release

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/yumen-project/yumen/gateway/receipt"
)

// ReadStatement gives the statement in the private body of a release. What is sealed stays so.
func ReadStatement(body []byte) (*receipt.Statement, error) {
	if len(body) < 5 || uint64(binary.BigEndian.Uint32(body[1:])) > uint64(len(body)-5) {
		return nil, fmt.Errorf("%w: stored result", ErrStored)
	}
	s, err := receipt.ParseStatement(body[5+binary.BigEndian.Uint32(body[1:]):])
	if err != nil {
		return nil, fmt.Errorf("%w: statement", ErrStored)
	}
	return s, nil
}

// Refused is who was refused what, and by which rule. It names no subject.
type Refused struct{ Party, Scenario, Act, Query, Rule string }

// ReadRefusal gives what the private body of a refusal says.
func ReadRefusal(body []byte) (*Refused, error) {
	var d denial
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fmt.Errorf("%w: refusal", ErrStored)
	}
	return &Refused{Party: d.Party, Scenario: d.Scenario, Act: d.Act, Query: d.Query, Rule: d.Rule}, nil
}
