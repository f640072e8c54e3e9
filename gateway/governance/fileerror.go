package governance

import (
	"fmt"
	"strings"
)

// maxProblems bounds how many problems of one file are reported at once.
const maxProblems = 50

// FileError is one problem of a domain or approvals file. It holds no value of
// the file: Path names the place by keys and positions.
type FileError struct {
	Line    int    // 1 for the first line; 0 when the file as a whole is meant
	Path    string // e.g. scenarios[0].units[1].agreement
	Rule    Rule
	Refusal *Refusal // text in both languages, article in force
}

// Error names line, path, rule and article.
func (e *FileError) Error() string {
	return fmt.Sprintf("line %d: %s: %s: %s (%s %s)", e.Line, e.Path, e.Refusal.Error(), e.Refusal.EN, e.Refusal.Pack, e.Refusal.Article)
}

// covers says whether this problem is at path or below it, so that one more there
// would only follow from it.
func (e *FileError) covers(path string) bool {
	rest, ok := strings.CutPrefix(e.Path, path)
	return ok && !strings.HasSuffix(path, "?") && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Unwrap gives the refusal.
func (e *FileError) Unwrap() error { return e.Refusal }

// FileErrors are all problems of a file, in order of their lines as met, at most 50.
// errors.As finds it, the first *FileError and the first *Refusal.
type FileErrors []*FileError

// Error joins the problems, one a line.
func (es FileErrors) Error() string {
	var b strings.Builder
	for i, e := range es {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	return b.String()
}

// Unwrap gives the problems one by one.
func (es FileErrors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}
