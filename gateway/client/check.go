package client

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// about is what was asked, as the statement names it.
type about struct{ scenario, query, consent, kind string }

// holds verifies a receipt and that its statement is about this question.
func (c *Client) holds(r *apiv1.Receipt, a about) bool {
	if !receipt.Verify(r.GetReceipt(), r.GetResult(), c.trust, time.Now()).OK() {
		return false
	}
	parts, err := receipt.ParseReceipt(r.GetReceipt())
	if err != nil {
		return false
	}
	s, err := receipt.ParseStatement(parts.Statement)
	return err == nil && a == about{s.Scenario, s.Query, s.Consent, s.Kind}
}

// check verifies a receipt and that it speaks of these questions and these answers. Without trust
// files nothing can be verified, and nothing is.
func (c *Client) check(r *apiv1.Receipt, a about, asked []*apiv1.Subject, answered []apiv1.Answer) error {
	if c.trust == nil {
		return nil
	}
	if len(asked) != len(answered) || !c.holds(r, a) {
		return ErrReceipt
	}
	n, same := 0, true
	var buf []byte
	err := receipt.Values(r.GetResult(), func(request, result []byte) {
		if n < len(asked) {
			buf = receipt.AppendSubject(buf[:0], asked[n].GetNumber(), asked[n].GetName(), asked[n].GetPhone())
			same = same && bytes.Equal(buf, request)
			buf = receipt.AppendAnswer(buf[:0], uint8(answered[n]))
			same = same && bytes.Equal(buf, result)
		}
		n++
	})
	if err != nil || !same || n != len(asked) {
		return ErrReceipt
	}
	return nil
}

// checkTable verifies a table's receipt and that its cells are those of the response.
func (c *Client) checkTable(in *apiv1.QueryRequest, out *apiv1.QueryResponse) error {
	if c.trust == nil {
		return nil
	}
	if !c.holds(out.GetReceipt(), about{in.GetScenario(), in.GetTable(), "", receipt.KindTable}) {
		return ErrReceipt
	}
	var table struct {
		GroupBy  []string `json:"group_by"`
		Measures []string
		Cells    []struct {
			Keys, Values []string
			Withheld     bool
		}
	}
	err := receipt.Values(out.GetReceipt().GetResult(), func(_, result []byte) {
		if json.Unmarshal(result, &table) != nil {
			table.Cells = nil
		}
	})
	if err != nil || len(table.Cells) != len(out.GetCells()) ||
		!slices.Equal(table.GroupBy, out.GetGroupBy()) || !slices.Equal(table.Measures, out.GetMeasures()) {
		return ErrReceipt
	}
	for i, cell := range table.Cells {
		got := out.GetCells()[i]
		if cell.Withheld != got.GetWithheld() || !slices.Equal(cell.Keys, got.GetKeys()) || !slices.Equal(cell.Values, got.GetValues()) {
			return ErrReceipt
		}
	}
	return nil
}
