package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/yumen-project/yumen/connectors"
	"github.com/yumen-project/yumen/connectors/file"
)

// A file is declared, opened and read to its end; only when Err is nil does what
// was read count.
func Example() {
	dir, err := os.MkdirTemp("", "yumen")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	text := "name;age\n\"Wang; Wu\";41\nLi Si;unknown\n"
	if err := os.WriteFile(filepath.Join(dir, "people.csv"), []byte(text), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	src, err := file.New(file.Options{
		Root: dir, Path: "people.csv", Format: file.CSV, Separator: ';', Header: true,
		Fields: []connectors.Field{{Name: "name", Type: "string"}, {Name: "age", Type: "int64"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := src.Open(context.Background(), connectors.Scan{BatchRows: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Release()
	for r.Next() {
		fmt.Println(r.Record().NumRows(), "row")
	}
	fmt.Println(r.Err())
	// Output:
	// 1 row
	// malformed data: row 2, field "age": not an int64
}
