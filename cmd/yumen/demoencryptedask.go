package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

// ceremonies makes all key sets. One holder is killed while they run, and started again.
func (d *encryptedDemo) ceremonies(ctx context.Context) error {
	d.tell("密钥仪式:三方持钥,一方中途断电", "key ceremonies: three holders, one of them loses power half-way")
	type set struct{ use, datasets, providers string }
	sets := []set{{"add", "wages", "renshe"}, {"add", "homes", "zhujian"}, {"add", "residents", "gongan"}, {"mul", "homes,wages", "zhujian,renshe"}}
	if d.table["adult"] != nil {
		sets = append(sets, set{"add", "adult", "gongan"})
	}
	authority := d.parties[keyAuthority]
	for _, s := range sets {
		if _, err := authority.run(ctx, authority.args("propose", "--use", s.use, "--dataset", s.datasets, "--provider", s.providers,
			"--holder", strings.Join(keyHolders, ","), "--scalars", "4096", "--until", "2027-12-31")...); err != nil {
			return err
		}
	}
	began := time.Now()
	for _, h := range keyHolders {
		if err := d.parties[h].serve(); err != nil {
			return err
		}
	}
	victim := d.parties[keyExchange]
	if err := d.until(ctx, victim, "ceremony under way", func(s *partyStatus) bool { return s.count("running") > 0 }); err != nil {
		return err
	}
	victim.kill()
	s, err := victim.status(ctx)
	if err != nil {
		return err
	}
	d.figure(d.say("断电时进行中的仪式", "ceremonies under way when power was lost"), s.count("running"))
	down := time.Now()
	time.Sleep(time.Second)
	if err := victim.serve(); err != nil {
		return err
	}
	away := time.Since(down)
	for _, h := range keyHolders {
		if err := d.until(ctx, d.parties[h], "key sets", func(s *partyStatus) bool { return s.count("done") == len(sets) }); err != nil {
			return err
		}
	}
	d.figure(fmt.Sprintf(d.say("%d 场仪式用时(另有断电 %v)", "%d ceremonies (besides %v without power)"), len(sets), away.Round(time.Millisecond)), time.Since(began)-away)
	return nil
}

// until waits for a party's status.
func (d *encryptedDemo) until(ctx context.Context, p *partyProcess, what string, done func(*partyStatus) bool) error {
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); {
		s, err := p.status(ctx)
		if err != nil {
			return err
		}
		if done(s) {
			return nil
		}
		for _, c := range s.Ceremonies {
			if c.Stage == "aborted" || c.Stage == "refused" {
				return fmt.Errorf("%s: ceremony %s: %s", p.name, c.Stage, c.Rule)
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("%s: waited too long for: %s", p.name, what)
}

// encrypt lets the providers encrypt at the same time, each in its own process.
func (d *encryptedDemo) encrypt(ctx context.Context) error {
	d.tell("三家部门各自加密上传", "three departments encrypt and upload")
	var mu sync.Mutex
	var group sync.WaitGroup
	var values int64
	var failed error
	began := time.Now()
	for name, texts := range d.specs() {
		args := d.parties[name].args("encrypt", "--wait", "1m")
		for i, text := range texts {
			path := filepath.Join(d.out, "sources", fmt.Sprintf("%s-%d.yaml", name, i))
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				return errors.New("out: not writable")
			}
			args = append(args, "--spec", path)
		}
		group.Go(func() {
			out, err := d.parties[name].run(ctx, args...)
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
			values += d.encryptFigures(name, out)
		})
	}
	group.Wait()
	d.figure(d.say("三家合计(含上传)", "all three, upload included"), fmt.Sprintf("%d values, %.0f values/s", values, float64(values)/time.Since(began).Seconds()))
	return failed
}

// encryptFigures reads what `yumen-party encrypt` printed.
func (d *encryptedDemo) encryptFigures(name, out string) int64 {
	var total int64
	for line := range strings.Lines(out) {
		var dataset, manifest string
		var values, leaves, uploaded int64
		var seconds, encrypting float64
		if n, _ := fmt.Sscanf(line, "%s manifest %s values %d leaves %d uploaded %d seconds %f encrypt_seconds %f", &dataset, &manifest, &values, &leaves, &uploaded, &seconds, &encrypting); n == 7 {
			total += values
			d.figure(d.say("加密 ", "encrypt ")+name+"/"+dataset, fmt.Sprintf("%d values in %.2f s: %.0f values/s; with upload %.2f s", values, encrypting, float64(values)/encrypting, seconds))
		}
	}
	return total
}

// question is one registered aggregate with its clear result.
type question struct {
	encrypted.Question
	clear func(context.Context) (map[string]*big.Rat, error)
}

func (d *encryptedDemo) questions() []question {
	ask := func(id, kind string, clear func(context.Context) (map[string]*big.Rat, error), columns ...string) question {
		q := question{clear: clear, Question: encrypted.Question{Aggregate: id, Kind: kind, Scenario: "housing-finance", Requester: encryptedAsker,
			Purpose: "住房负担能力统计分析", Columns: columns, Valid: time.Hour}}
		seen := map[string]bool{}
		for _, c := range columns {
			name, _, _ := strings.Cut(c, ".")
			version := map[string]string{"adult": "1996"}[name]
			if version == "" {
				version = "2026-10"
			}
			if !seen[name] {
				seen[name] = true
				q.Datasets = append(q.Datasets, [2]string{name, version})
			}
		}
		return q
	}
	t := d.table
	list := []question{
		ask("wage-sum", "sum", moments(t["wages"].numbers["wage"], "sum"), "wages.wage.wage"),
		ask("value-mean", "mean", moments(t["homes"].numbers["value"], "sum", "mean"), "homes.value.value"),
		ask("age-variance", "variance", moments(t["residents"].numbers["age"], "sum", "mean", "variance_population", "variance_sample"), "residents.age.age", "residents.age.age2"),
		ask("wage-by-industry", "group_mean", grouped(t["wages"].texts["industry"], t["wages"].numbers["wage"]), "wages.wage.wage-by-industry"),
		ask("persons-by-kind", "histogram", grouped(t["residents"].texts["kind"], nil), "residents.kind.persons-by-kind"),
		ask("wage-value-correlation", "correlation", pairs(t["homes"].numbers["value"], t["wages"].numbers["wage"]),
			"homes.value.value-x", "wages.wage.wage-y", "homes.value.value-x2", "wages.wage.wage-y2"),
	}
	if a := t["adult"]; a != nil {
		list = append(list,
			ask("adult-age", "variance", moments(a.numbers["age"], "sum", "mean", "variance_population", "variance_sample"), "adult.age.age", "adult.age.age2"),
			ask("adult-rich", "mean", moments(a.numbers["rich"], "sum", "mean"), "adult.rich.rich"),
			ask("adult-education", "group_mean", grouped(a.texts["education"], a.numbers["age"]), "adult.age.age-by-education"),
			ask("adult-correlation", "correlation", pairs(a.numbers["age"], a.numbers["rich"]),
				"adult.age.age", "adult.rich.rich", "adult.age.age-rich", "adult.age.age2", "adult.rich.rich2"))
	}
	return list
}

// ask puts all questions. While the third is under way a holder is killed; the other
// two open it, and the killed one finds its way back.
func (d *encryptedDemo) ask(ctx context.Context) error {
	d.tell("查询:持钥方重算、批准、解密;一方中途断电", "queries: holders recompute, approve, open; one loses power half-way")
	victim := d.parties[keyAuditor]
	var opening time.Duration
	for i, q := range d.questions() {
		var once sync.Once
		d.requester.Progress = func(state string, _, _ int) {
			if i == 2 && (state == "computed" || state == "approved") {
				once.Do(victim.kill)
			}
		}
		began := time.Now()
		out, err := askWithin(ctx, d.requester, &q.Question, 10*time.Minute)
		if err != nil {
			return fmt.Errorf("%s: %w", q.Aggregate, err)
		}
		took := time.Since(began)
		opening += took
		if _, err := saveOutcome(d.out, out); err != nil {
			return err
		}
		if err := d.compare(ctx, &q, out); err != nil {
			return fmt.Errorf("%s: %w", q.Aggregate, err)
		}
		d.figure(q.Aggregate, fmt.Sprintf("%v, %d numbers, holders %s, receipt %s", took.Round(time.Millisecond), out.Plan.Opens(), strings.Join(out.Holders, "+"), out.Serial))
		if i == 2 {
			if err := victim.serve(); err != nil {
				return err
			}
		}
	}
	d.figure(d.say("全部查询", "all queries"), opening)
	return d.until(ctx, victim, "answers of the holder that was away", func(s *partyStatus) bool {
		for _, q := range s.Queries {
			if q.Stage != "answered" {
				return false
			}
		}
		return len(s.Queries) > 0 && s.Older == 0
	})
}

// compare holds every figure against the clear result, exactly.
func (d *encryptedDemo) compare(ctx context.Context, q *question, out *encrypted.Outcome) error {
	want, err := q.clear(ctx)
	if err != nil {
		return err
	}
	seen := 0
	out.Exact(func(label, name string, exact *big.Rat, text string) {
		key := strings.TrimPrefix(label+"/"+name, "/")
		clear, known := want[key]
		if exact == nil && !known { // a correlation is a root: its square is compared
			d.answers = append(d.answers, encryptedAnswer{aggregate: q.Aggregate, figure: key, value: text, clear: "√", same: true})
			return
		}
		a := encryptedAnswer{aggregate: q.Aggregate, figure: key, value: text}
		if known {
			seen++
			a.clear, a.same = clear.RatString(), exact != nil && exact.Cmp(clear) == 0
			if len(a.clear) > 40 {
				a.clear = clear.FloatString(6)
			}
		}
		d.answers = append(d.answers, a)
	})
	if seen != len(want) {
		return fmt.Errorf("%d figures of %d", seen, len(want))
	}
	return nil
}
