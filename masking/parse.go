package masking

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxPolicyBytes = 4 << 20
	maxColumns     = 4096
	maxParams      = 32
)

// ParsePolicy reads a policy file:
//
//	masking: 1
//	name: household-sample
//	release: inside          # inside (default) | outside
//	sample: {column: rid, rate: "0.01", key: lineage, kind: resident_id}
//	columns:
//	  - {name: rid, class: direct_identifier, grade: 3, technique: suppress, nulls: keep}
//	  - name: birth
//	    class: quasi_identifier
//	    grade: 2
//	    technique: generalize
//	    params: {to: year}
//	    nulls: keep          # keep | refuse | suppress
//	    malformed: suppress  # refuse (default) | suppress
//	  - {name: phone, class: direct_identifier, grade: 3, technique: pseudonym, key: recipient-7, nulls: keep}
//
// At most 4 MiB, one document. Unknown and duplicate keys, anchors, aliases,
// tags and nesting beyond this shape are refused. Errors carry line numbers.
// What the values mean is checked by Compile.
func ParsePolicy(b []byte) (*Policy, error) {
	root, err := decodeOne(b)
	if err != nil {
		return nil, err
	}
	p := &Policy{}
	version := ""
	err = eachKey(root, map[string]func(*yaml.Node) error{
		"masking": func(n *yaml.Node) error { return scalar(n, &version) },
		"name":    func(n *yaml.Node) error { return scalar(n, &p.Name) },
		"release": func(n *yaml.Node) error { return scalar(n, &p.Release) },
		"sample":  func(n *yaml.Node) error { return parseSample(n, p) },
		"columns": func(n *yaml.Node) error { return parseColumns(n, p) },
	})
	if err != nil {
		return nil, err
	}
	if version != "1" {
		return nil, at(root, "masking: want version 1")
	}
	if len(p.Columns) == 0 {
		return nil, at(root, "columns: at least one is needed")
	}
	return p, nil
}

func decodeOne(b []byte) (*yaml.Node, error) {
	if len(b) > maxPolicyBytes {
		return nil, fmt.Errorf("masking policy: larger than %d bytes", maxPolicyBytes)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("masking policy: not UTF-8")
	}
	if err := shallow(b); err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("masking policy: empty")
		}
		return nil, fmt.Errorf("masking policy: %w", err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("masking policy: more than one document")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("masking policy: empty")
	}
	return doc.Content[0], nil
}

// shallow bounds flow nesting before the parser sees it, so that a wall of
// brackets costs nothing. Quoted text may hold that many brackets in a row
// only at the cost of being refused.
func shallow(b []byte) error {
	const most = 64
	run, line := 0, 1
	for _, c := range b {
		switch c {
		case '[', '{':
			run++
		case '\n':
			line++
		case ' ', '\t', '\r':
		default:
			run = 0
		}
		if run > most {
			return fmt.Errorf("masking policy: line %d: nested too deep", line)
		}
	}
	return nil
}

func parseSample(n *yaml.Node, p *Policy) error {
	p.Sample = &Sample{}
	return eachKey(n, map[string]func(*yaml.Node) error{
		"column": func(n *yaml.Node) error { return scalar(n, &p.Sample.Column) },
		"rate":   func(n *yaml.Node) error { return scalar(n, &p.Sample.Rate) },
		"key":    func(n *yaml.Node) error { return scalar(n, &p.Sample.Key) },
		"kind":   func(n *yaml.Node) error { return scalar(n, &p.Sample.Kind) },
	})
}

func parseColumns(n *yaml.Node, p *Policy) error {
	if err := plain(n, yaml.SequenceNode, "a list"); err != nil {
		return err
	}
	if len(n.Content) > maxColumns {
		return at(n, "columns: more than %d", maxColumns)
	}
	seen := make(map[string]bool, len(n.Content))
	for _, item := range n.Content {
		var c Column
		err := eachKey(item, map[string]func(*yaml.Node) error{
			"name":      func(n *yaml.Node) error { return scalar(n, &c.Name) },
			"class":     func(n *yaml.Node) error { return scalar(n, &c.Class) },
			"grade":     func(n *yaml.Node) error { return scalar(n, &c.Grade) },
			"technique": func(n *yaml.Node) error { return scalar(n, &c.Technique) },
			"key":       func(n *yaml.Node) error { return scalar(n, &c.Key) },
			"nulls":     func(n *yaml.Node) error { return scalar(n, &c.Nulls) },
			"malformed": func(n *yaml.Node) error { return scalar(n, &c.Malformed) },
			"params":    func(n *yaml.Node) error { return parseParams(n, &c) },
		})
		if err != nil {
			return err
		}
		if c.Name == "" {
			return at(item, "name: missing")
		}
		if seen[c.Name] {
			return at(item, "column %q appears twice", c.Name)
		}
		seen[c.Name] = true
		p.Columns = append(p.Columns, c)
	}
	return nil
}

func parseParams(n *yaml.Node, c *Column) error {
	if err := plain(n, yaml.MappingNode, "a mapping"); err != nil {
		return err
	}
	if len(n.Content) > 2*maxParams {
		return at(n, "params: more than %d", maxParams)
	}
	c.Params = make(map[string]string, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		var name, value string
		if err := scalar(n.Content[i], &name); err != nil {
			return err
		}
		if _, ok := c.Params[name]; ok {
			return at(n.Content[i], "%q appears twice", name)
		}
		if err := scalar(n.Content[i+1], &value); err != nil {
			return err
		}
		c.Params[name] = value
	}
	return nil
}

// eachKey hands each value of a mapping to the reader of its key.
func eachKey(n *yaml.Node, keys map[string]func(*yaml.Node) error) error {
	if err := plain(n, yaml.MappingNode, "a mapping"); err != nil {
		return err
	}
	seen := make(map[string]bool, len(keys))
	for i := 0; i < len(n.Content); i += 2 {
		var key string
		if err := scalar(n.Content[i], &key); err != nil {
			return err
		}
		read, ok := keys[key]
		if !ok {
			return at(n.Content[i], "%q is unknown here", key)
		}
		if seen[key] {
			return at(n.Content[i], "%q appears twice", key)
		}
		seen[key] = true
		if err := read(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func scalar(n *yaml.Node, into *string) error {
	if err := plain(n, yaml.ScalarNode, "a value"); err != nil {
		return err
	}
	if n.Tag == "!!null" {
		return at(n, "empty value")
	}
	*into = n.Value
	return nil
}

// plain refuses any other kind of node, anchors, aliases and explicit tags.
func plain(n *yaml.Node, kind yaml.Kind, want string) error {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return at(n, "anchors and aliases are refused")
	case n.Style&yaml.TaggedStyle != 0:
		return at(n, "tags are refused")
	case n.Kind != kind:
		return at(n, "want %s", want)
	}
	return nil
}

func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("masking policy: line %d: %s", n.Line, fmt.Sprintf(format, args...))
}
