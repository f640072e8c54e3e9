package release

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/governance"
	"github.com/yumen-project/yumen/gateway/ledger"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// denial is the private record's body of a refusal: who asked for what, and the rule. No subject.
type denial struct {
	Party    string `json:"party"`
	Scenario string `json:"scenario"`
	Act      string `json:"act"`
	Query    string `json:"query"`
	Rule     string `json:"rule"`
	Article  string `json:"article"`
	Pack     string `json:"pack"`
	Nonce    string `json:"nonce"`
	// Count is how many refusals the entry stands for; 0 is one.
	Count int64 `json:"count,omitempty"`
}

// Refuse writes a refusal to the log and returns the index of its entry. charges is what the work
// done before the refusal cost; nil where nothing was computed. The entry's statement hash is a
// hiding commitment to the private record, so that the public log does not tell who was refused. Of a
// party that is refused again and again, entries are counted together; see flood.
func (g *Gate) Refuse(ctx context.Context, ask *governance.Ask, r *governance.Refusal, hold *ledger.Hold) (uint64, error) {
	if hold != nil {
		return g.refuse(ctx, ask, r, hold, 0)
	}
	v, window, entry, over := g.flood.see(ask.Party, g.o.Now())
	if over > 0 {
		if err := g.tell(ctx, ask.Party, over); err != nil {
			return 0, err
		}
	}
	switch v {
	case countIt:
		return entry, nil
	case beginIt:
		begin := *ask
		begin.Act = actCounting
		index, err := g.refuse(ctx, &begin, r, nil, 1)
		if err == nil {
			g.flood.began(window, index)
		}
		return index, err
	}
	return g.refuse(ctx, ask, r, nil, 0)
}

func (g *Gate) refuse(ctx context.Context, ask *governance.Ask, r *governance.Refusal, hold *ledger.Hold, count int64) (uint64, error) {
	var nonce receipt.Nonce
	if err := g.draw(&nonce); err != nil {
		return 0, err
	}
	text, err := json.Marshal(denial{
		Party: ask.Party, Scenario: bounded(ask.Scenario), Act: string(ask.Act), Query: bounded(ask.Query),
		Rule: string(r.Rule), Article: r.Article, Pack: r.Pack, Nonce: fmt.Sprintf("%x", nonce[:]), Count: count,
	})
	if err != nil {
		return 0, fmt.Errorf("encode refusal: %w", err)
	}
	record := &ledger.Record{Body: text}
	var hint any
	if hold != nil {
		hold.Record.Body, record, hint = text, &hold.Record, hold
	}
	private, err := record.AppendTo(nil)
	if err != nil {
		return 0, err
	}
	appended, err := g.o.Log.Append(ctx, audit.Record{
		Kind: audit.Refusal, Time: g.o.Now(), Statement: receipt.Commit("refusal", &nonce, text), Private: private, Hint: hint,
	})
	if err != nil {
		return 0, err
	}
	return appended.Index, nil
}

// bounded keeps a foreign id from filling the log; ids longer than this name nothing anyway.
func bounded(s string) string {
	const most = 64
	if len(s) > most {
		return ""
	}
	return s
}
