package server

import (
	"fmt"
	"path/filepath"
	"unicode/utf8"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/connectors/file"
	"github.com/yumen-project/yumen/gateway/governance"
)

// sources opens the register that a dataset names, below root.
func sources(root string) func(d *governance.Dataset) (connectors.Source, error) {
	return func(d *governance.Dataset) (connectors.Source, error) {
		if d.Source.Kind != "file" {
			return nil, fmt.Errorf("source kind: want file")
		}
		o := file.Options{Path: d.Source.Path, Root: root, Format: d.Source.Format, Header: d.Source.Header}
		if d.Source.Separator != "" {
			o.Separator, _ = utf8.DecodeRuneInString(d.Source.Separator)
		}
		if filepath.IsAbs(d.Source.Path) {
			return nil, fmt.Errorf("source path: want one below the source root")
		}
		for _, f := range d.Fields {
			o.Fields = append(o.Fields, connectors.Field{Name: f.Name, Type: f.Type, Nullable: f.Name != d.Subject.Field})
		}
		return file.New(o)
	}
}
