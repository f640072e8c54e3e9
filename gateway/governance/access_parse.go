package governance

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cedar-policy/cedar-go"
	"go.yaml.in/yaml/v3"
)

// Bounds of the policies of a domain file.
const (
	maxPolicyText  = 32 << 10
	maxPolicyDepth = 64 // of brackets
)

var errPolicies = errors.New("access policies: not well formed")

// parsePolicies reads Cedar; it never panics on a text from outside.
func parsePolicies(text []byte) (list cedar.PolicyList, err error) {
	defer func() {
		if recover() != nil {
			list, err = nil, errPolicies
		}
	}()
	return cedar.NewPolicyListFromBytes("", text)
}

// policies reads the Cedar text of a domain file: statements that forbid, and nothing else.
func (l *loader) policies(n *yaml.Node) string {
	first := n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		first++
	}
	l.d.policyLine = n.Line
	report := func(line int) string {
		if n.Style&yaml.LiteralStyle == 0 || line == 0 {
			line = 1
		}
		l.reportLine(first+line-1, "policies", Malformed)
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || !policyText(n.Value) {
		return report(0)
	}
	list, err := parsePolicies([]byte(n.Value))
	if err != nil {
		// the parser names the token after the one it did not expect
		return report(min(policyErrorLine(err), 1+strings.Count(strings.TrimSpace(n.Value), "\n")))
	}
	for _, p := range list {
		if p.Effect() != cedar.Forbid {
			return report(p.Position().Line)
		}
	}
	if len(list) == 0 {
		return report(0)
	}
	return n.Value
}

// policyText says whether s is short, printable and not nested deeply; brackets
// within strings and comments count too.
func policyText(s string) bool {
	if s == "" || len(s) > maxPolicyText || !utf8.ValidString(s) {
		return false
	}
	depth, run := 0, 0
	for _, c := range s {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '!', '-':
			run++
		}
		if depth > maxPolicyDepth || run > 4096 || !unicode.IsPrint(c) && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

var policyLine = regexp.MustCompile(`parse error at <?[^ ]*?:?([0-9]{1,9}):[0-9]{1,9}`)

// policyErrorLine takes the line, and nothing else, from an error of the Cedar parser.
func policyErrorLine(err error) int {
	m := policyLine.FindStringSubmatch(err.Error())
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// policyError is a problem of the policies as a whole.
func (d *Domain) policyError() error {
	return FileErrors{{Line: d.policyLine, Path: "policies", Rule: Malformed, Refusal: d.Pack().Refuse(Malformed)}}
}

// keepsPolicies says whether every statement of before is one of now: policies only forbid, so that
// taking one away allows more.
func keepsPolicies(now, before string) bool {
	if before == "" || now == before {
		return true
	}
	have, err := statements(now)
	if err != nil {
		return false
	}
	want, err := statements(before)
	return err == nil && !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
}

// statements in the form in which Cedar itself writes them.
func statements(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	list, err := parsePolicies([]byte(text))
	if err != nil {
		return nil, err
	}
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = string(p.MarshalCedar())
	}
	return out, nil
}
