package gateway_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Documents must say what is there: links lead somewhere, the requirements name
// tests that exist, the interface lists every refusal.

var (
	mdLink   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	mdFence  = regexp.MustCompile("(?ms)^```.*?^```$")
	testName = regexp.MustCompile(`\bTest\w+`)
	testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	reqRow   = regexp.MustCompile(`(?m)^\| ([0-9]+) \|.*$`)
	ruleID   = regexp.MustCompile(`(?m)^\s*(\w+)\s+Rule = "([a-z-]+)"`)
	setting  = regexp.MustCompile(`(?m)^\t\t\{"([a-z-]+\.[a-z-]+)", `)
	command  = regexp.MustCompile(`Use: "([a-z-]+)`)
	ruleText = regexp.MustCompile(`\{(\w+), ("YM-[0-9]{4}"), ("R[0-9]+"), ("[^"]+"), ("[^"]+")\}`)
)

// deadLinks lists relative links of Markdown files that lead nowhere. A link is
// taken as it stands: no anchors into other files are followed.
func deadLinks(root fs.FS) ([]string, error) {
	var bad []string
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (ignored(name) || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".md" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, m := range mdLink.FindAllStringSubmatch(mdFence.ReplaceAllString(string(text), ""), -1) {
			to, _, _ := strings.Cut(m[1], "#")
			if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			if _, err := fs.Stat(root, path.Join(path.Dir(name), to)); err != nil {
				bad = append(bad, name+": "+m[1])
			}
		}
		return nil
	})
	return bad, err
}

func TestLinksOfDocuments(t *testing.T) {
	bad, err := deadLinks(os.DirFS(".."))
	require.NoError(t, err)
	require.Empty(t, bad)
}

// testsOf gathers the names of all test functions.
func testsOf(root fs.FS) (map[string]bool, error) {
	names := map[string]bool{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && ignored(name) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return nil
	})
	return names, err
}

// Each row stands once with one state, the count at the top is theirs, tests that are
// named exist, and what works names one after its row.
func TestRequirementsNameTheirProof(t *testing.T) {
	text, err := os.ReadFile("../docs/REQUIREMENTS.md")
	require.NoError(t, err)
	known, err := testsOf(os.DirFS(".."))
	require.NoError(t, err)
	for _, name := range testName.FindAllString(string(text), -1) {
		require.True(t, known[name], "%s is no test", name)
	}
	states := map[string]int{}
	rows := reqRow.FindAllStringSubmatch(string(text), -1)
	require.Len(t, rows, 74)
	for i, m := range rows {
		require.Equal(t, strconv.Itoa(i+1), m[1], "rows in order")
		cells := strings.Split(m[0], "|")
		require.Len(t, cells, 7, "row %s", m[1])
		state, _, _ := strings.Cut(strings.TrimSpace(cells[4]), ":")
		require.Contains(t, []string{"works", "partly", "not yet"}, state, "row %s", m[1])
		states[state]++
		if state == "works" {
			require.Contains(t, cells[5], "TestR"+m[1]+"_", "row %s", m[1])
		}
	}
	require.Contains(t, string(text), fmt.Sprintf("%d work, %d work partly, %d not yet", states["works"], states["partly"], states["not yet"]))
}

// Every refusal stands in the interface with its code, row and both sentences.
func TestRefusalsStandInTheInterface(t *testing.T) {
	source, err := os.ReadFile("governance/rules.go")
	require.NoError(t, err)
	document, err := os.ReadFile("../docs/API.md")
	require.NoError(t, err)
	ids := map[string]string{}
	for _, m := range ruleID.FindAllStringSubmatch(string(source), -1) {
		ids[m[1]] = m[2]
	}
	texts := ruleText.FindAllStringSubmatch(string(source), -1)
	require.Len(t, texts, len(ids), "rules and their sentences")
	for _, m := range texts {
		for i := 2; i < len(m); i++ {
			m[i], err = strconv.Unquote(m[i])
			require.NoError(t, err)
		}
		line := fmt.Sprintf("| %s | `%s` | %s | %s | %s |\n", m[2], ids[m[1]], m[3], m[4], m[5])
		require.Contains(t, string(document), line)
	}
	require.Equal(t, len(texts), strings.Count(string(document), "\n| YM-"), "codes in the document")
}

// So does every setting of the gateway.
func TestSettingsStandInTheInterface(t *testing.T) {
	source, err := os.ReadFile("server/config.go")
	require.NoError(t, err)
	document, err := os.ReadFile("../docs/API.md")
	require.NoError(t, err)
	found := setting.FindAllStringSubmatch(string(source), -1)
	require.Greater(t, len(found), 25, "the table of settings was not read")
	for _, m := range found {
		require.Contains(t, string(document), "`"+m[1]+"`")
	}
}

// And every command of the gateway and the agent.
func TestCommandsStandInTheInterface(t *testing.T) {
	document, err := os.ReadFile("../docs/API.md")
	require.NoError(t, err)
	for _, dir := range []string{"../cmd/yumen", "../cmd/yumen-party"} {
		files, err := fs.Glob(os.DirFS(dir), "*.go")
		require.NoError(t, err)
		seen := 0
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(path.Join(dir, name))
			require.NoError(t, err)
			for _, m := range command.FindAllStringSubmatch(string(text), -1) {
				seen++
				require.Regexp(t, `\b`+m[1]+`\b`, string(document), "%s: a command", name)
			}
		}
		require.Greater(t, seen, 5, "the commands were not read")
	}
}
