package job

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/yumen-project/yumen/compute/lookup"
	"github.com/yumen-project/yumen/gateway/governance"
)

// fewer says that n of universe is less than a share in per mille. The least share that every cell of the
// common refinement of a dataset's ordinary templates must hold is a setting, one in eight by default:
// then all answers ever given about one record version reveal at most 3 bits, whoever asked.
func fewer(n, universe, permille int64) bool { return n*1000 < universe*permille }

// registration is what registering a dataset's templates found. It goes into the log and holds for
// later versions of the dataset; a later version that drifts is reported, never refused by itself.
type registration struct {
	Dataset string `json:"dataset"`
	Version string `json:"version"`
	// Program is the digest of the dataset's templates as registered.
	Program string `json:"program"`
	// Templates maps each template to whether it may be asked.
	Templates map[string]bool `json:"templates"`
	// Share is the least share in per mille by which they were judged; 0 in old entries is 125.
	Share int64 `json:"share_permille,omitempty"`
	// MergeAbsent: absent subjects hold less than the least share of the roster, so they answer "no".
	MergeAbsent bool `json:"merge_absent"`
	// MergeWithheld: withheld subjects hold less than that, so they answer as absent ones do.
	MergeWithheld bool `json:"merge_withheld"`
	// Given are the ordinary templates ever admitted about the dataset, also those replaced since.
	Given []governance.Template `json:"given,omitempty"`
}

// judgedBy is the least share in per mille by which the templates were judged.
func (r *registration) judgedBy() int64 {
	if r.Share == 0 {
		return 125
	}
	return r.Share
}

// register admits a dataset's templates in the order of the domain file: each ordinary one that keeps
// every cell of the refinement with its predecessors at the share or more, those answered in the past
// and replaced since included. Consented and rare
// templates and identity match are under rules of their own.
func register(d *governance.Dataset, templates []*governance.Template, p *lookup.Program, ref *lookup.Refinement, preds []int, share int64, past ...*governance.Template) *registration {
	digest := p.Digest()
	reg := &registration{Dataset: d.ID, Version: d.Version, Program: hex.EncodeToString(digest[:]), Templates: map[string]bool{}, Share: share}
	if ref != nil {
		reg.MergeAbsent = fewer(counted(ref, func(c *lookup.CellCount) bool { return c.Absent }), ref.Universe, share)
		reg.MergeWithheld = fewer(counted(ref, func(c *lookup.CellCount) bool { return c.Withheld }), ref.Universe, share)
	}
	var admitted []int // positions in preds
	all := slices.Concat(past, templates)
	for _, t := range past {
		n, _ := p.Find(t.ID)
		admitted = append(admitted, slices.Index(preds, n))
	}
	for _, t := range templates {
		if !ordinary(t) {
			reg.Templates[t.ID] = true
			continue
		}
		n, _ := p.Find(t.ID)
		try := append(slices.Clone(admitted), slices.Index(preds, n))
		apart := told(reg, all, p, preds, try)
		if ok := ref != nil && refined(ref, try, apart, share); ok {
			reg.Templates[t.ID], admitted = true, try
			reg.give(t)
		} else {
			reg.Templates[t.ID] = false
		}
	}
	return reg
}

func ordinary(t *governance.Template) bool {
	return t.Class == governance.ClassOrdinary && t.Kind != governance.KindIdentity
}

func counted(ref *lookup.Refinement, which func(*lookup.CellCount) bool) (n int64) {
	for i := range ref.Cells {
		if which(&ref.Cells[i]) {
			n += ref.Cells[i].Count
		}
	}
	return n
}

// apart says which subjects without outcomes are told apart from those who answer "no".
type apart struct{ absent, withheld bool }

// told says what any of the templates at the positions tells apart.
func told(reg *registration, templates []*governance.Template, p *lookup.Program, preds, positions []int) (out apart) {
	for _, t := range templates {
		if n, ok := p.Find(t.ID); ok && ordinary(t) && slices.Contains(positions, slices.Index(preds, n)) {
			out.absent = out.absent || !reg.MergeAbsent && t.NotFound == governance.ToldDistinct
			out.withheld = out.withheld || !reg.MergeWithheld && t.Withheld == governance.ToldDistinct
		}
	}
	return out
}

// refined says that every cell of the refinement by the predicates at positions holds the share of
// the roster. Withheld subjects answer as absent ones do, and those "no" to everything, unless they
// are told apart; a cell that nobody is in cannot be told from one that does not exist.
func refined(ref *lookup.Refinement, positions []int, told apart, share int64) bool {
	if ref.Universe == 0 {
		return false
	}
	cells := map[string]int64{}
	for _, c := range ref.Cells {
		pattern := uint64(0)
		key := "present"
		switch {
		case c.Withheld && told.withheld:
			key = "withheld"
		case c.Absent || c.Withheld:
			if told.absent {
				key = "absent"
			}
		default:
			for i, at := range positions {
				pattern |= c.Pattern >> at & 1 << i
			}
		}
		cells[fmt.Sprint(key, pattern)] += c.Count
	}
	for _, n := range cells {
		if fewer(n, ref.Universe, share) {
			return false
		}
	}
	return len(cells) > 1
}
