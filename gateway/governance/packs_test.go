package governance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func packs(t *testing.T) map[string]*Pack {
	t.Helper()
	out := map[string]*Pack{}
	for _, id := range Jurisdictions() {
		p, err := LoadPack(id)
		require.NoError(t, err, id)
		require.Equal(t, id, p.ID)
		out[id] = p
	}
	return out
}

func TestEveryRuleHasBothLanguagesAndAUniqueCode(t *testing.T) {
	codes, rules := map[string]bool{}, map[Rule]bool{}
	for _, x := range ruleTexts() {
		require.Regexp(t, `^YM-[1-7][0-9]{3}$`, x.code)
		require.Regexp(t, `^R[1-9][0-9]?$`, x.requirement)
		require.Regexp(t, `\p{Han}.*。$`, x.zh)
		require.Regexp(t, `^[A-Z][ -~]+\.$`, x.en)
		require.False(t, codes[x.code] || rules[x.rule], x.rule)
		codes[x.code], rules[x.rule] = true, true
	}
}

func TestR19_EveryRefusalNamesItsReasonAndItsArticle(t *testing.T) {
	for id, p := range packs(t) {
		for _, rule := range Rules() {
			r := p.Refuse(rule)
			require.Equal(t, rule, r.Rule)
			require.Equal(t, p.Ref(), r.Pack)
			require.NotEmpty(t, r.Article, id)
			require.NotEmpty(t, r.ZH)
			require.NotEmpty(t, r.EN)
			if a, cited := p.Articles[rule]; cited {
				require.Equal(t, a.Number, r.Article)
			} else {
				require.Equal(t, GatewayRule, r.Article)
			}
		}
	}
	require.Equal(t, Malformed, packs(t)["jilin"].Refuse("no such rule").Rule)
}

func TestR28_TermCapsOfTheFiveTexts(t *testing.T) {
	want := map[string]int{"jilin": 3, "dazhou": 3, "zhejiang": 3, "jinzhou": 5, "huizhou": 3}
	for id, p := range packs(t) {
		require.Equal(t, want[id], p.TermYears, id)
	}
}

func TestUnknownJurisdictionIsRefused(t *testing.T) {
	for _, id := range []string{"", "beijing", "../packs/jilin", "jilin.yaml"} {
		_, err := LoadPack(id)
		require.Error(t, err)
	}
}

// TestCitationsAreInTheTexts looks up every cited article in the published texts, where they are at hand.
func TestCitationsAreInTheTexts(t *testing.T) {
	dir := os.Getenv("YUMEN_TESTDATA")
	if dir == "" {
		t.Skip("YUMEN_TESTDATA is not set: the texts of the regulations are not at hand")
	}
	files := map[string]string{"jilin": "jilin-draft.txt", "dazhou": "dazhou-2023-draft.txt",
		"jinzhou": "jinzhou-2025.txt", "huizhou": "huizhou-2023.txt", "zhejiang": "zhejiang-2023.txt"}
	for id, p := range packs(t) {
		text, err := os.ReadFile(filepath.Join(dir, "..", "seeds", files[id]))
		if err != nil {
			t.Skip("the texts of the regulations are not beside YUMEN_TESTDATA")
		}
		for rule, a := range p.Articles {
			section := sectionOf(string(text), a.Number)
			require.NotEmpty(t, section, "%s %s: %s", id, rule, a.Number)
			require.Contains(t, squeeze(section), squeeze(a.Phrase), "%s %s: %s", id, rule, a.Number)
		}
	}
}

// squeeze drops white space and unifies brackets: the texts break lines at will.
func squeeze(s string) string {
	s = strings.NewReplacer("（", "(", "）", ")", "“", "\"", "”", "\"", ",", ",").Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

var numerals = `[一二三四五六七八九十]+`

// sectionOf cuts the article out of a text: 第N条, or N（M） and N.M of texts in sections.
func sectionOf(text, number string) string {
	if strings.HasPrefix(number, "第") {
		n := strings.TrimSuffix(strings.TrimPrefix(number, "第"), "条")
		return cut(text, `第`+n+`[条條][\s\x{3000}\x{a0}]`, `第`+numerals+`[条條][\s\x{3000}\x{a0}]`)
	}
	m := regexp.MustCompile(`^(` + numerals + `)(?:（(` + numerals + `)）|\.([0-9]))?$`).FindStringSubmatch(number)
	if m == nil {
		return ""
	}
	part := cut(text, m[1]+`、`, numerals+`、`)
	switch {
	case m[2] != "":
		return cut(part, `[(（]`+m[2]+`[)）]`, `[(（]`+numerals+`[)）]`)
	case m[3] != "":
		return cut(part, m[3]+`\.`, `[0-9]\.`)
	}
	return part
}

// cut gives what stands between a line that begins with from and the next that begins with next.
func cut(text, from, next string) string {
	lead := `(?m)^[\s\x{3000}\x{a0}\x{feff}]*(?:\[bookmark:[^\]]*\])?[ \x{3000}]*`
	begin := regexp.MustCompile(lead + from).FindStringIndex(text)
	if begin == nil {
		return ""
	}
	rest := text[begin[1]:]
	if end := regexp.MustCompile(lead + next).FindStringIndex(rest); end != nil {
		return rest[:end[0]]
	}
	return rest
}
