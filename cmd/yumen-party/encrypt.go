package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"golang.org/x/term"

	"github.com/yumen-project/yumen/cmd/yumen-party/agent"
	"github.com/yumen-project/yumen/compute/he/plan"
	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/connectors/file"
)

// specFile says what is encrypted of one dataset version:
//
//	dataset: housing
//	version: "2026-10"
//	source: {path: housing.parquet, format: parquet, fields: [{name: rid, type: string}, {name: value, type: "decimal(14,2)"}]}
//	subject: rid            # or row_subjects: true
//	section: district       # rows come grouped by it; without it there is one section, "all"
//	changes: [{manifest: HEX, subjects: 120}]
//	lanes:
//	  - {name: value, kind: value, columns: [value], bounds: [300000000]}
//	  - {name: value-by-kind, kind: bucketed, columns: [value], bounds: [300000000], group_by: kind, groups: [a, b]}
//	  - {name: wage-r, kind: reversed, columns: [wage], bounds: [100000], with: household}
type specFile struct {
	Dataset string `yaml:"dataset"`
	Version string `yaml:"version"`
	Source  struct {
		Path      string `yaml:"path"`
		Format    string `yaml:"format"`
		Separator string `yaml:"separator"`
		Header    *bool  `yaml:"header"`
		Fields    []struct {
			Name     string `yaml:"name"`
			Type     string `yaml:"type"`
			Nullable bool   `yaml:"nullable"`
		} `yaml:"fields"`
	} `yaml:"source"`
	Subject     string `yaml:"subject"`
	RowSubjects bool   `yaml:"row_subjects"`
	Section     string `yaml:"section"`
	Changes     []struct {
		Manifest string `yaml:"manifest"`
		Subjects uint64 `yaml:"subjects"`
	} `yaml:"changes"`
	Lanes []laneFile `yaml:"lanes"`
}

// laneFile is one lane; with names the other dataset of a product's key.
type laneFile struct {
	Name      string   `yaml:"name"`
	Kind      string   `yaml:"kind"`
	Columns   []string `yaml:"columns"`
	Bounds    []uint64 `yaml:"bounds"`
	Present   []string `yaml:"present"`
	GroupBy   string   `yaml:"group_by"`
	Groups    []string `yaml:"groups"`
	SkipNulls bool     `yaml:"skip_nulls"`
	With      string   `yaml:"with"`
}

const maxSpec = 1 << 20

// parseSpec reads a file of one document; keys that are not known are refused.
func parseSpec(text []byte) (*specFile, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	s := &specFile{}
	if err := d.Decode(s); err != nil {
		return nil, usageError{errors.New("spec: not of its form")}
	}
	if err := d.Decode(&specFile{}); !errors.Is(err, io.EOF) {
		return nil, usageError{errors.New("spec: more than one document")}
	}
	return s, nil
}

// provision turns the file into what the agent takes. Paths are relative to dir.
func (s *specFile) provision(dir string, terms []byte) (agent.Provision, connectors.Source, error) {
	kinds := map[string]plan.LaneKind{"value": plan.Value, "square": plan.Square, "product": plan.Product, "reversed": plan.Reversed, "bucketed": plan.Bucketed}
	p := agent.Provision{With: map[string]string{}, Terms: string(terms), Spec: plan.Spec{Dataset: s.Dataset, Version: s.Version,
		Subject: s.Subject, RowSubjects: s.RowSubjects, Section: s.Section}}
	for i, l := range s.Lanes {
		kind, ok := kinds[l.Kind]
		if !ok {
			return p, nil, usageError{fmt.Errorf("spec: lane %d: kind: want value, square, product, reversed or bucketed", i+1)}
		}
		p.Spec.Lanes = append(p.Spec.Lanes, plan.LaneSpec{Name: l.Name, Kind: kind, Columns: l.Columns, Bounds: l.Bounds, Present: l.Present,
			GroupBy: l.GroupBy, Groups: l.Groups, SkipNulls: l.SkipNulls})
		p.With[l.Name] = l.With
	}
	for i, c := range s.Changes {
		b, err := hex.DecodeString(c.Manifest)
		if err != nil || len(b) != 32 {
			return p, nil, usageError{fmt.Errorf("spec: change %d: manifest: want 64 hexadecimal digits", i+1)}
		}
		p.Spec.Changes = append(p.Spec.Changes, plan.Change{Manifest: [32]byte(b), Subjects: c.Subjects})
	}
	src, err := s.open(dir)
	return p, src, err
}

func (s *specFile) open(dir string) (connectors.Source, error) {
	o := file.Options{Path: s.Source.Path, Format: s.Source.Format, Header: s.Source.Header == nil || *s.Source.Header}
	if !filepath.IsAbs(o.Path) {
		o.Path = filepath.Join(dir, o.Path)
	}
	if r := []rune(s.Source.Separator); len(r) == 1 {
		o.Separator = r[0]
	} else if len(r) > 1 {
		return nil, usageError{errors.New("spec: separator: want one character")}
	}
	for _, f := range s.Source.Fields {
		o.Fields = append(o.Fields, connectors.Field{Name: f.Name, Type: f.Type, Nullable: f.Nullable})
	}
	src, err := file.New(o)
	if err != nil {
		return nil, usageError{err}
	}
	return src, nil
}

func encryptCommand() *cobra.Command {
	var n connection
	var specs []string
	var wait time.Duration
	c := &cobra.Command{Use: "encrypt", Short: "encrypt columns of a source under certified keys and hand them in; may be interrupted and begun again", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, _, end, err := n.open(c)
			if err != nil {
				return err
			}
			for _, path := range specs {
				if err = provide(c, a, path, wait); err != nil {
					break
				}
			}
			return errors.Join(err, end())
		}}
	n.flags(c)
	c.Flags().StringArrayVar(&specs, "spec", nil, "what to encrypt, YAML; may stand several times")
	c.Flags().DurationVar(&wait, "wait", 0, "how long to wait for the certificates of the keys")
	c.Flags().Uint64Var(&n.minimum, "minimum-subjects", 0, "distinct subjects of every part; 0: 10")
	_ = c.MarkFlagRequired("spec")
	return c
}

func provide(c *cobra.Command, a *agent.Agent, path string, wait time.Duration) error {
	text, err := readBounded(path, maxSpec)
	if err != nil {
		return usageError{errors.New("spec: file unreadable")}
	}
	s, err := parseSpec(text)
	if err != nil {
		return err
	}
	p, src, err := s.provision(filepath.Dir(path), text)
	if err != nil {
		return err
	}
	until := time.Now().Add(wait)
	if err := rounds(c.Context(), a, func(*agent.Status) (bool, error) {
		return a.HasKeys(&p) || time.Now().After(until), nil
	}); err != nil {
		return err
	}
	p.Progress = progress(c.ErrOrStderr())
	began := time.Now()
	done, err := a.Provide(c.Context(), p, src)
	if err != nil {
		return err
	}
	took := time.Since(began)
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s manifest %s values %d leaves %d uploaded %d seconds %.3f encrypt_seconds %.3f\n",
		s.Dataset, done.Manifest, done.Values, done.Leaves, done.Uploaded, took.Seconds(), done.Encrypting.Seconds())
	return err
}

// progress shows a bar on a terminal and nothing elsewhere.
func progress(w io.Writer) func(values, uploaded int64) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("encrypt"), progressbar.OptionClearOnFinish(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString("values"))
	return func(values, uploaded int64) {
		if uploaded > 0 {
			bar.Describe("upload")
		}
		_ = bar.Set64(values + uploaded)
	}
}
