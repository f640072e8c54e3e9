// Command attack is a clever analyst. It starts gateways of its own over a generated city and then holds
// only what application units hold: their tokens, the public interface, the public log, and as background
// knowledge the whole register but for one secret. It prints one JSON line for each attack, what was
// learned beside what theory allows, and exits 1 when any learned more.
//
// What it shows is evidence against these attacks. It proves nothing about others.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	code, err := mainOf(ctx, os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
	}
	os.Exit(code) //nolint:forbidigo // this is main, with an exit code of its own
}

// mainOf returns 0 when every attack stayed within bounds, 1 when one learned more, 2 when it could not run.
func mainOf(ctx context.Context, args []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("attack", flag.ContinueOnError)
	isShort := flags.Bool("short", false, "the run of the tests: small city, few repetitions")
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	size := long
	if *isShort {
		size = brief
	}
	r := &report{out: out}
	if err := attack(ctx, size, r); err != nil {
		return 2, err
	}
	if r.failed > 0 {
		return 1, nil
	}
	return 0, nil
}

// size of a run.
type size struct {
	persons, repeats, timings, fresh int
}

// brief is for the tests; long is what `make attack` runs.
var (
	brief = size{persons: 2500, repeats: 12, timings: 100, fresh: 2000}
	long  = size{persons: 20000, repeats: 100, timings: 3000, fresh: 10_000}
)

// attack runs everything, in an order that leaves quotas for what follows.
func attack(ctx context.Context, s size, r *report) error {
	w, err := newWorld(ctx, s)
	if err != nil {
		return err
	}
	defer w.close()
	g, err := w.gateway(ctx, domainText, w.registers)
	if err != nil {
		return err
	}
	c := &campaign{w: w, g: g, r: r, size: s}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"three units", c.threeUnits}, {"consents", c.consents}, {"rare status", c.rareStatus},
		{"templates", c.templates}, {"thresholds", c.thresholds}, {"absent", c.absentSubjects},
		{"repeats", c.repeats}, {"private repeats", c.privateRepeats}, {"private budget", c.privateBudget},
		{"tables", c.tables}, {"foreign", c.foreign}, {"dictionary", c.dictionary},
		{"paired", c.paired}, {"neighbours", c.neighbours}, {"careless", c.careless}, {"replaced", c.replaced},
	} {
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return g.stop()
}

// campaign is one gateway under attack, and where findings go.
type campaign struct {
	w    *world
	g    *gateway
	r    *report
	size size
}
