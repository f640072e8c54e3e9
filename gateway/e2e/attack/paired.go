package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

//go:embed paired.yaml
var pairedText string

// records are the databases of the pairing: they differ in one person's line alone.
var records = []struct{ name, line string }{
	{"yes", "true,false"}, {"no", "false,false"}, {"absent", ""}, {"withheld", "true,true"},
}

const pairedPersons = 200

// pairedRegisters writes roster and register.
func (w *world) pairedRegisters(name, asked, line string) (string, error) {
	dir := filepath.Join(w.root, "paired-"+name)
	var roster, register bytes.Buffer
	roster.WriteString("rid\n")
	register.WriteString("rid,flag,objects\n")
	for i := range pairedPersons {
		rid := w.people[i].RID
		fmt.Fprintln(&roster, rid)
		if rid != asked {
			fmt.Fprintf(&register, "%s,%t,false\n", rid, i%2 == 0)
		} else if line != "" {
			fmt.Fprintf(&register, "%s,%s\n", rid, line)
		}
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "roster.csv"), roster.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, "register.csv"), register.Bytes(), 0o600)); err != nil {
		return "", errors.New("temporary directory not writable")
	}
	return dir, nil
}

// paired asks four databases the same and compares all that is not the answer itself: refusals, bytes on
// the wire, entries in the log, public counters. Wall time is reported, and judged nowhere.
func (c *campaign) paired(ctx context.Context) error {
	asked := c.w.people[100].RID
	var seen []*traces
	var open []*gateway
	for _, r := range records {
		dir, err := c.w.pairedRegisters(r.name, asked, r.line)
		if err != nil {
			return err
		}
		g, err := c.w.gateway(ctx, pairedText, dir)
		if err != nil {
			return err
		}
		t, err := g.probe(ctx, c.w, asked)
		if err != nil {
			return err
		}
		seen, open = append(seen, t), append(open, g)
	}
	took, err := times(ctx, open, asked, c.size.timings)
	if err != nil {
		return err
	}
	for _, g := range open {
		if err := g.stop(); err != nil {
			return err
		}
	}
	c.compare("refusals", seen, func(t *traces) []string { return t.refusals }, "bytes of refusals")
	c.compare("grpc-lengths", seen, func(t *traces) []string { return t.grpc }, "headers, payloads and trailers on the wire")
	c.compare("rest-lengths", seen, func(t *traces) []string { return t.rest }, "bytes of the TLS connection")
	c.compare("work", seen, func(t *traces) []string { return t.work }, "public counters and log entries")
	for i, r := range records[1:] {
		c.r.found("timing yes/"+r.name, advantage(took[0], took[i+1]), 1,
			"advantage of the best threshold on wall time, tested on the other half of %d answers each; chance alone gives %.3f; reported, not judged", c.size.timings, 1/sqrt(c.size.timings))
	}
	return nil
}

// compare counts places in which any of the databases differs from the first.
func (c *campaign) compare(what string, all []*traces, part func(*traces) []string, detail string) {
	differ := map[string]bool{}
	first := part(all[0])
	for i, t := range all[1:] {
		other := part(t)
		if len(other) != len(first) {
			differ[fmt.Sprintf("%s: %d places, not %d", records[i+1].name, len(other), len(first))] = true
			continue
		}
		for k := range first {
			if first[k] != other[k] {
				differ[fmt.Sprintf("%s: %q, not %q", records[i+1].name, other[k], first[k])] = true
			}
		}
	}
	var examples []string
	for d := range differ {
		examples = append(examples, d)
	}
	slices.Sort(examples)
	c.r.found("paired-"+what, float64(len(differ)), 0, "%s that depend on one person's record, of %d places in %d databases: %s", detail, len(first), len(all), strings.Join(examples[:min(3, len(examples))], "; "))
}

// times asks all databases the same question again and again, in turn, so that what else the machine does
// falls on all alike.
func times(ctx context.Context, open []*gateway, asked string, n int) ([][]time.Duration, error) {
	out := make([][]time.Duration, len(open))
	for round := range n {
		for k := range open {
			i := (k + round) % len(open)
			began := time.Now()
			_, rule, err := open[i].verify(ctx, "bank", question("s", "flagged", asked))
			if err != nil || rule != "" {
				return nil, fmt.Errorf("timed question refused by %q: %w", rule, err)
			}
			out[i] = append(out[i], time.Since(began))
		}
	}
	return out, nil
}

// advantage is |P(a <= t) - P(b <= t)| on the second halves, at the t that is best on the first.
func advantage(a, b []time.Duration) float64 {
	at := func(x []time.Duration, t time.Duration) float64 {
		n := 0
		for _, v := range x {
			if v <= t {
				n++
			}
		}
		return float64(n) / float64(len(x))
	}
	half := len(a) / 2
	best, cut := 0.0, a[0]
	for _, t := range a[:half] {
		if d := at(a[:half], t) - at(b[:half], t); max(d, -d) > best {
			best, cut = max(d, -d), t
		}
	}
	d := at(a[half:], cut) - at(b[half:], cut)
	return max(d, -d)
}

// strangersBefore is one less than the absent subjects that raise an alarm: the next absent one would be
// seen in the log, if absence were counted where it is not told.
const strangersBefore = 199

// overAlarm asks for numbers of nobody and then for one person, and says how many entries the log grew by.
func (g *gateway) overAlarm(ctx context.Context, w *world, asked string) (string, error) {
	before, err := g.index(ctx, asked)
	if err != nil {
		return "", err
	}
	var strangers []*apiv1.Subject
	for i := range strangersBefore {
		number, err := w.town.Stranger(i)
		if err != nil {
			return "", err
		}
		strangers = append(strangers, &apiv1.Subject{Number: number})
	}
	if _, rule, err := g.batch(ctx, "leju", "s", "flagged", strangers); err != nil || rule != "" {
		return "", fmt.Errorf("strangers refused by %q: %w", rule, err)
	}
	if _, rule, err := g.verify(ctx, "leju", question("s", "flagged", asked)); err != nil || rule != "" {
		return "", fmt.Errorf("question refused by %q: %w", rule, err)
	}
	after, err := g.index(ctx, asked)
	return fmt.Sprintf("log grew by %d entries over 200 merged answers", after-before), err
}

// index asks one question and reads where in the log its entry stands.
func (g *gateway) index(ctx context.Context, number string) (int64, error) {
	out, rule, err := g.verify(ctx, "bank", question("s", "flagged", number))
	if err != nil || rule != "" {
		return 0, fmt.Errorf("question refused by %q: %w", rule, err)
	}
	_, parts, err := statement(out.GetReceipt())
	if err != nil {
		return 0, err
	}
	return int64(parts.Index), nil
}
