package governance

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Bounds of every YAML file this package reads.
const (
	maxFile  = 4 << 20
	maxDepth = 32
	// maxMarks bounds the characters that can begin a node, and so the memory of the tree.
	maxMarks = 600_000
)

// reader walks a YAML tree and collects problems. It accepts the plain part of
// YAML alone: one document, no anchors, aliases, merge keys or tags.
type reader struct {
	pack     *Pack
	problems FileErrors
}

func (r *reader) report(n *yaml.Node, path string, rule Rule) {
	line := 0
	if n != nil {
		line = n.Line
	}
	r.reportLine(line, path, rule)
}

func (r *reader) reportLine(line int, path string, rule Rule) {
	if r.full() {
		return
	}
	if path == "" {
		path = "file"
	}
	for _, e := range r.problems {
		if e.covers(path) {
			return
		}
	}
	r.problems = append(r.problems, &FileError{Line: line, Path: path, Rule: rule, Refusal: r.pack.Refuse(rule)})
}

func (r *reader) full() bool { return len(r.problems) >= maxProblems }

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b *FileError) int { return a.Line - b.Line })
	return r.problems
}

// document returns the one root node, or nil after a report.
func (r *reader) document(file []byte) *yaml.Node {
	if len(file) > maxFile || marks(file) > maxMarks {
		r.report(nil, "", Malformed)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(file))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if m := unknownAnchor.FindStringSubmatch(err.Error()); m != nil {
			line := 1 + bytes.Count(file[:max(0, bytes.Index(file, []byte("*"+m[1])))], []byte("\n"))
			r.reportLine(line, "", AliasRefused)
			return nil
		}
		r.reportLine(errorLine(err), "", Malformed)
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		r.reportLine(max(second.Line, errorLine(err)), "", AliasRefused)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || !r.plain(doc.Content[0], 1) {
		if len(r.problems) == 0 {
			r.report(&doc, "", Malformed)
		}
		return nil
	}
	return doc.Content[0]
}

// marks counts the characters without which no YAML node begins.
func marks(file []byte) int {
	n := 0
	for _, b := range file {
		switch b {
		case '\n', '\r', ',', ':', '[', '{', '?':
			n++
		}
	}
	return n + bytes.Count(file, []byte("- ")) + bytes.Count(file, []byte("-\t"))
}

var unknownAnchor = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)

var yamlLine = regexp.MustCompile(`line ([0-9]{1,9})`)

// errorLine takes the line number, and nothing else, from an error of the YAML scanner.
func errorLine(err error) int {
	if err == nil {
		return 0
	}
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// plain reports every anchor, alias, tag and merge key, and nesting beyond the bound.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	if r.full() {
		return false
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || n.Tag == "!!merge" {
		r.report(n, "", AliasRefused)
		return false
	}
	if depth > maxDepth {
		r.report(n, "", Malformed)
		return false
	}
	ok := true
	for _, c := range n.Content {
		ok = r.plain(c, depth+1) && ok
	}
	return ok
}

// member is one key of a mapping with its value.
type member struct {
	key  string
	path string
	node *yaml.Node
}

func (r *reader) mapping(n *yaml.Node, path string) []member {
	if n.Kind != yaml.MappingNode {
		r.report(n, path, Malformed)
		return nil
	}
	out := make([]member, 0, len(n.Content)/2)
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		at := join(path, keyLabel(k))
		switch {
		case k.Kind != yaml.ScalarNode || k.Tag == "!!null":
			r.report(k, path, Malformed)
		case seen[k.Value]:
			r.report(k, at, DuplicateID)
		default:
			seen[k.Value] = true
			out = append(out, member{k.Value, at, n.Content[i+1]})
		}
	}
	return out
}

var safeKey = regexp.MustCompile(`^[a-z][a-z_-]{0,31}$`)

// keyLabel shows a key only when it looks like one; what else stands there may be a value.
func keyLabel(k *yaml.Node) string {
	if safeKey.MatchString(k.Value) {
		return k.Value
	}
	return "?"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (r *reader) sequence(n *yaml.Node, path string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.report(n, path, Malformed)
		return nil
	}
	return n.Content
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// each reads the elements of a list of at most limit objects under a key, if the key is there.
func each[T any](o *object, key string, limit int, read func(n *yaml.Node, path string) T) []T {
	n := o.nodes[key]
	if n == nil {
		return []T{}
	}
	path := join(o.path, key)
	nodes := o.r.sequence(n, path)
	if len(nodes) > limit {
		o.r.report(n, path, Malformed)
		nodes = nil
	}
	out := make([]T, 0, len(nodes))
	for i, c := range nodes {
		if o.r.full() {
			break
		}
		out = append(out, read(c, at(path, i)))
	}
	return out
}
