package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// foreign: a unit that got hold of another's request, key, job id or receipt replays it as itself.
func (c *campaign) foreign(ctx context.Context) error {
	in := question("open", "owns-home", c.w.people[21].RID)
	var err error
	if in.IdempotencyKey, in.KeyTimeMs, err = client.NewKey(); err != nil {
		return err
	}
	theirs, rule, err := c.g.verify(ctx, "bank", in)
	if err != nil || rule != "" {
		return fmt.Errorf("own question refused by %q: %w", rule, err)
	}
	got := 0
	mine, _, err := c.g.verify(ctx, "leju", proto.Clone(in).(*apiv1.VerifyRequest))
	if err != nil {
		return err
	}
	if mine != nil && (mine.GetSerial() == theirs.GetSerial() || string(mine.GetReceipt().GetReceipt()) == string(theirs.GetReceipt().GetReceipt())) {
		got++ // an answer of bank's was handed to leju
	}
	outsider, rule, err := c.g.verify(ctx, "jiazheng", proto.Clone(in).(*apiv1.VerifyRequest))
	if err != nil {
		return err
	}
	if outsider != nil {
		got++
	}
	jobs, err := c.foreignJobs(ctx)
	if err != nil {
		return err
	}
	c.r.found("foreign-keys-and-receipts", float64(got), 0, "answers of another unit had by its key; the outsider was refused by %q", rule)
	c.r.found("foreign-jobs", float64(jobs), 0, "ways in which another party's job id is told from one that does not exist")
	return nil
}

func (c *campaign) foreignJobs(ctx context.Context) (int, error) {
	if _, err := c.mask(ctx, "household-sample"); err != nil {
		return 0, err
	}
	operator, err := c.g.as("yunying")
	if err != nil {
		return 0, err
	}
	list, err := operator.Jobs.List(ctx, &apiv1.ListJobsRequest{})
	if err != nil || len(list.GetJobs()) == 0 {
		return 0, fmt.Errorf("no job to look at: %w", err)
	}
	other, err := c.g.as("leju")
	if err != nil {
		return 0, err
	}
	told := 0
	real, made := list.GetJobs()[0].GetId(), strings.Repeat("ab", 12)
	_, get1 := other.Jobs.Get(ctx, &apiv1.GetJobRequest{Id: real})
	_, get2 := other.Jobs.Get(ctx, &apiv1.GetJobRequest{Id: made})
	_, stop1 := other.Jobs.Cancel(ctx, &apiv1.GetJobRequest{Id: real})
	_, stop2 := other.Jobs.Cancel(ctx, &apiv1.GetJobRequest{Id: made})
	if fmt.Sprint(get1) != fmt.Sprint(get2) || get1 == nil {
		told++
	}
	if fmt.Sprint(stop1) != fmt.Sprint(stop2) || stop1 == nil {
		told++
	}
	seen, err := other.Jobs.List(ctx, &apiv1.ListJobsRequest{})
	if err != nil {
		return 0, err
	}
	return told + len(seen.GetJobs()), nil
}

// dictionary: whoever has receipts and log, but not the openings, tries every person and answer.
func (c *campaign) dictionary(ctx context.Context) error {
	const target = 33
	var public []map[string]string
	var digests []string
	for _, i := range []int{target, target, target + 1} {
		out, rule, err := c.g.verify(ctx, "bank", question("open", "owns-home", c.w.people[i].RID))
		if err != nil || rule != "" {
			return fmt.Errorf("question refused by %q: %w", rule, err)
		}
		fields, found, err := c.material(ctx, out)
		if err != nil {
			return err
		}
		public, digests = append(public, fields), append(digests, found...)
	}
	hits := c.tryEveryone(digests)
	c.r.found("dictionary-oracle", float64(hits), 0, "digests in receipts and log explained by a guess of person or answer, of %d persons, constant, public and random nonces", len(c.w.people))
	linked := 0
	for field := range public[0] {
		same, other := public[0][field] == public[1][field], public[0][field] == public[2][field]
		if same && !other {
			linked++
		}
	}
	c.r.found("receipts-link-a-person", float64(linked), 0, "fields equal in two receipts about one person and different in one about another")
	return nil
}

// material is all an onlooker has of an answer: the statement's fields and the log's entry.
func (c *campaign) material(ctx context.Context, out *apiv1.VerifyResponse) (map[string]string, []string, error) {
	s, parts, err := statement(out.GetReceipt())
	if err != nil {
		return nil, nil, err
	}
	unit, err := c.g.as("leju") // the log is public: anybody asks
	if err != nil {
		return nil, nil, err
	}
	entry, err := unit.Audit.Entry(ctx, &apiv1.EntryRequest{Index: parts.Index})
	if err != nil {
		return nil, nil, err
	}
	fields := map[string]string{"entry": hex.EncodeToString(entry.GetEntry())}
	var raw map[string]any
	if err := json.Unmarshal(parts.Statement, &raw); err != nil {
		return nil, nil, err
	}
	for k, v := range raw {
		fields[k] = fmt.Sprint(v)
	}
	return fields, []string{s.Request, s.Result, fields["entry"]}, nil
}

func (c *campaign) tryEveryone(digests []string) int {
	nonces := append([]receipt.Nonce(nil), make([]receipt.Nonce, 3)...)
	for i := range nonces[1] {
		nonces[1][i] = 0xff
	}
	_, _ = rand.Read(nonces[2][:])
	for _, d := range digests {
		if raw, err := hex.DecodeString(d); err == nil && len(raw) == 32 {
			nonces = append(nonces, receipt.Nonce(raw))
		}
	}
	text := strings.Join(digests, " ")
	hits := 0
	try := func(value []byte) {
		for i := range nonces {
			for _, tag := range []string{receipt.TagRequest, receipt.TagResult} {
				sum := receipt.Commit(tag, &nonces[i], value)
				if strings.Contains(text, hex.EncodeToString(sum[:])) {
					hits++
				}
			}
		}
	}
	for i := range c.w.people {
		try(receipt.AppendSubject(nil, c.w.people[i].RID, "", ""))
	}
	for _, a := range []string{"10", "11", "20", "21", "30", "40", `"yes"`, `"no"`, "是", "否"} {
		try([]byte(a))
	}
	return hits
}
