package governance

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of texts in bytes (a receipt takes no longer ones), and of lists.
const (
	maxName = 200
	maxText = 2000
	maxList = 5000

	maxObjects   = 5000 // of one kind, scenarios and consents aside
	maxScenarios = 500
	maxConsents  = 50_000
	maxApprovals = 20_000
	maxFields    = 2000 // of a dataset
	maxParts     = 64   // filters or measures of a table
)

// object is a mapping being read against its known keys. A missing key that is
// required is reported at the line of the mapping.
type object struct {
	r     *reader
	node  *yaml.Node
	path  string
	nodes map[string]*yaml.Node
}

func (r *reader) object(n *yaml.Node, path string, keys ...string) *object {
	o := &object{r: r, node: n, path: path, nodes: make(map[string]*yaml.Node, len(keys))}
	for _, m := range r.mapping(n, path) {
		if slices.Contains(keys, m.key) {
			o.nodes[m.key] = m.node
		} else {
			r.report(m.node, m.path, UnknownKey)
		}
	}
	return o
}

func (o *object) has(key string) bool { return o.nodes[key] != nil }

func (o *object) line(key string) int {
	if n := o.nodes[key]; n != nil {
		return n.Line
	}
	return o.node.Line
}

func (o *object) report(key string, rule Rule) { o.r.reportLine(o.line(key), join(o.path, key), rule) }

// scalar gives the text of a required scalar; a missing one is reported once.
func (o *object) scalar(key string) (string, bool) {
	n := o.nodes[key]
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		if n != nil || o.node.Kind == yaml.MappingNode {
			o.report(key, Malformed)
		}
		return "", false
	}
	return n.Value, true
}

// text reads a required, printable text of 1 to limit bytes.
func (o *object) text(key string, limit int) string {
	s, ok := o.scalar(key)
	if ok && !printable(s, limit) {
		o.report(key, Malformed)
		return ""
	}
	return s
}

// textOr reads an optional text; absent and empty are the same.
func (o *object) textOr(key string, limit int) string {
	if !o.has(key) || o.nodes[key].Kind == yaml.ScalarNode && o.nodes[key].Value == "" && o.nodes[key].Tag != "!!null" {
		return ""
	}
	return o.text(key, limit)
}

func printable(s string, limit int) bool {
	if s == "" || len(s) > limit || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// id reads a required identifier: 1 to 64 letters, digits, dots, hyphens, underscores.
func (o *object) id(key string) string {
	s, ok := o.scalar(key)
	if ok && !idForm.MatchString(s) {
		o.report(key, Malformed)
		return ""
	}
	return s
}

func (o *object) enum(key string, values ...string) string {
	s, ok := o.scalar(key)
	if ok && !slices.Contains(values, s) {
		o.report(key, Malformed)
		return ""
	}
	return s
}

func (o *object) enumOr(key, otherwise string, values ...string) string {
	if !o.has(key) {
		return otherwise
	}
	return o.enum(key, values...)
}

func (o *object) integer(key string, low, high int64) int64 {
	s, ok := o.scalar(key)
	if !ok {
		return 0
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < low || v > high || strconv.FormatInt(v, 10) != s {
		o.report(key, Malformed)
		return 0
	}
	return v
}

func (o *object) integerOr(key string, otherwise, low, high int64) int64 {
	if !o.has(key) {
		return otherwise
	}
	return o.integer(key, low, high)
}

func (o *object) boolean(key string, otherwise bool) bool {
	if !o.has(key) {
		return otherwise
	}
	return o.enum(key, "true", "false") == "true"
}

func (o *object) date(key string) Date {
	s, ok := o.scalar(key)
	if !ok {
		return Date{}
	}
	d, err := ParseDate(s)
	if err != nil {
		o.report(key, Malformed)
	}
	return d
}

func (o *object) dateOr(key string) Date {
	if !o.has(key) {
		return Date{}
	}
	return o.date(key)
}

// digest reads n bytes in lower-case hex.
func (o *object) digest(key string, n int) string {
	s, ok := o.scalar(key)
	if ok && !isHex(s, n) {
		o.report(key, Malformed)
		return ""
	}
	return s
}

func isHex(s string, n int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && strings.ToLower(s) == s
}

// list reads an optional list of texts without repetition. rule answers a repetition.
func (o *object) list(key string) []string {
	n := o.nodes[key]
	if n == nil {
		return []string{}
	}
	path := join(o.path, key)
	nodes := o.r.sequence(n, path)
	if len(nodes) > maxList {
		o.r.report(n, path, Malformed)
		return []string{}
	}
	out, seen := make([]string, 0, len(nodes)), make(map[string]bool, len(nodes))
	for i, c := range nodes {
		switch {
		case c.Kind != yaml.ScalarNode || c.Tag == "!!null" || !printable(c.Value, maxName):
			o.r.report(c, at(path, i), Malformed)
		case seen[c.Value]:
			o.r.report(c, at(path, i), DuplicateID)
		}
		seen[c.Value] = true
		out = append(out, c.Value)
	}
	return out
}

// listRequired is list with at least one element.
func (o *object) listRequired(key string) []string {
	out := o.list(key)
	if len(out) == 0 && (o.has(key) || o.node.Kind == yaml.MappingNode) {
		o.report(key, Malformed)
	}
	return out
}

func (o *object) members(key string) []member {
	n := o.nodes[key]
	if n == nil {
		return nil
	}
	return o.r.mapping(n, join(o.path, key))
}

// nodeAt is the i-th element of the list under a key, or the object itself.
func (o *object) nodeAt(key string, i int) (*yaml.Node, string) {
	path := at(join(o.path, key), i)
	if n := o.nodes[key]; n != nil && i < len(n.Content) {
		return n.Content[i], path
	}
	return o.node, path
}
