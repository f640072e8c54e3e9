package receipt

import (
	"bytes"
	"strconv"
	"strings"
)

// Parameters of the technique in a statement of KindEncrypted.
const (
	// ParamPlan, ParamQuery and ParamOpenings are SM3 hashes, 64 hexadecimal digits.
	ParamPlan     = "plan"
	ParamQuery    = "query"
	ParamOpenings = "openings"
	// ParamThreshold is "T of N": how many of the key holders open.
	ParamThreshold = "threshold"
	// ParamRecomputed and ParamHolder are followed by a blank and a number from 1: holders who
	// recomputed what may be opened and approved it, and all of them.
	ParamRecomputed = "recomputed by"
	ParamHolder     = "holder"
)

// maxHolders bounds the holders a statement may name.
const maxHolders = 16

// encrypted judges what a statement of KindEncrypted says of plan and holders: it names plan, query and
// openings, and as many distinct holders who recomputed them as it takes to open.
func (r *Report) encrypted(s *Statement) {
	if s.Kind == KindEncrypted {
		r.judge(ClaimPlan, unless(recomputed(s.Technique.Params), reasonPlan))
	}
}

func recomputed(params map[string]string) bool {
	for _, name := range []string{ParamPlan, ParamQuery, ParamOpenings} {
		if !isDigest(params[name]) {
			return false
		}
	}
	need, of, ok := strings.Cut(params[ParamThreshold], " of ")
	t, errT := strconv.Atoi(need)
	n, errN := strconv.Atoi(of)
	if !ok || errT != nil || errN != nil || t < 2 || n < t || n > maxHolders {
		return false
	}
	holders, named := numbered(params, ParamHolder)
	words, distinct := numbered(params, ParamRecomputed)
	if !named || !distinct || len(holders) != n || len(words) < t {
		return false
	}
	for h := range words {
		if !holders[h] {
			return false
		}
	}
	return true
}

// numbered reads the parameters "name 1", "name 2" ...; false if one stands twice.
func numbered(params map[string]string, name string) (map[string]bool, bool) {
	out := map[string]bool{}
	for i := 1; i <= maxHolders; i++ {
		v, ok := params[name+" "+strconv.Itoa(i)]
		if !ok {
			break
		}
		if out[v] {
			return nil, false
		}
		out[v] = true
	}
	return out, true
}

// isDigest accepts 64 lower-case hexadecimal digits.
func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// ofPlan says that the result file stands for the plan, query and openings of the statement.
func ofPlan(s *Statement, value []byte) bool {
	for _, name := range []string{ParamPlan, ParamQuery, ParamOpenings} {
		if !bytes.Contains(value, []byte(`"`+name+`":"`+s.Technique.Params[name]+`"`)) {
			return false
		}
	}
	return true
}
