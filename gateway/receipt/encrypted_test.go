package receipt

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func planned() map[string]string {
	return map[string]string{ParamPlan: strings.Repeat("ab", 32), ParamQuery: strings.Repeat("cd", 32), ParamOpenings: strings.Repeat("ef", 32),
		ParamThreshold: "2 of 3", "holder 1": "shuju", "holder 2": "exchange", "holder 3": "jianguan", "recomputed by 1": "exchange", "recomputed by 2": "shuju"}
}

// encrypted makes receipt and result file of an encrypted result.
func (w *world) encrypted(params map[string]string, value string) (file, result []byte) {
	request, answer := &Opening{Nonce: Nonce{1}, Value: []byte(`{"query":"x"}`)}, &Opening{Nonce: Nonce{2}, Value: []byte(value)}
	s := w.statement()
	s.Kind, s.Technique = KindEncrypted, Technique{Name: "encrypted aggregate", Params: params}
	s.Request, s.Result = request.Commit(TagRequest).String(), answer.Commit(TagResult).String()
	result, err := AppendResult(nil, s.ID, request, answer)
	require.NoError(w.t, err)
	return w.bytes(w.release(s)), result
}

func TestAnEncryptedResultNamesItsPlanAndWhoRecomputedIt(t *testing.T) {
	w := newWorld(t)
	p := planned()
	value := `{"openings":"` + p[ParamOpenings] + `","plan":"` + p[ParamPlan] + `","query":"` + p[ParamQuery] + `"}`
	file, result := w.encrypted(p, value)
	report := Verify(file, result, w.set(), noon())
	require.True(t, report.OK(), report.Text("en"))
	require.True(t, report.Holds(ClaimPlan))
	require.True(t, Verify(file, nil, w.set(), noon()).OK())

	file, result = w.encrypted(p, strings.Replace(value, "abab", "abac", 1))
	require.Equal(t, ClaimPlan, Verify(file, result, w.set(), noon()).Failed(), "a result of another plan")
	for name, change := range map[string]func(map[string]string){
		"no plan":           func(m map[string]string) { delete(m, ParamPlan) },
		"no hash":           func(m map[string]string) { m[ParamOpenings] = "none" },
		"no threshold":      func(m map[string]string) { delete(m, ParamThreshold) },
		"one opens":         func(m map[string]string) { m[ParamThreshold] = "1 of 3" },
		"too few":           func(m map[string]string) { delete(m, "recomputed by 2") },
		"one twice":         func(m map[string]string) { m["recomputed by 2"] = "exchange" },
		"a stranger":        func(m map[string]string) { m["recomputed by 2"] = "operator" },
		"a holder too few":  func(m map[string]string) { delete(m, "holder 3") },
		"a holder too many": func(m map[string]string) { m["holder 4"] = "x" },
		"more than all":     func(m map[string]string) { m[ParamThreshold] = "4 of 3" },
	} {
		m := maps.Clone(p)
		change(m)
		file, result := w.encrypted(m, value)
		require.Equal(t, ClaimPlan, Verify(file, result, w.set(), noon()).Failed(), name)
	}
}
