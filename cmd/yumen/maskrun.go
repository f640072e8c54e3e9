package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/masking"
	"github.com/yumen-project/yumen/masking/run"
)

type maskRun struct {
	in                tableFlags
	keys              maskKeys
	format            string
	resume, noMeasure bool
	notDirect         []string
	partRows          int64
	workers           int
}

func maskRunCommand() *cobra.Command {
	r := &maskRun{}
	c := &cobra.Command{Use: "run POLICY INPUT OUTPUT", Short: "mask a file into a directory, and report what was done and what remains",
		Args: words(3, "POLICY INPUT OUTPUT"),
		RunE: func(c *cobra.Command, args []string) error { return r.do(c, args[0], args[1], args[2]) }}
	f := c.Flags()
	f.StringVar(&r.format, "format", "parquet", "parquet or ipc")
	f.StringVar(&r.keys.dir, "keys", "", "directory of keys")
	f.StringVar(&r.keys.recipient, "recipient", "", "who gets the output; keys are its own")
	f.StringVar(&r.keys.scenario, "scenario", "", "what for; keys are its own")
	f.BoolVar(&r.keys.make, "make-keys", false, "make keys that are missing")
	f.BoolVar(&r.resume, "resume", false, "go on with an unfinished run of the same policy, input and keys")
	f.BoolVar(&r.noMeasure, "no-measure", false, "leave out risk and utility: their memory grows with the number of classes")
	f.StringSliceVar(&r.notDirect, "not-direct", nil, "columns whose values look like direct identifiers and are none")
	f.Int64Var(&r.partRows, "part-rows", 0, "input rows of a part; 0 is 4194304")
	f.IntVar(&r.workers, "workers", 0, "batches at once; 0 is one for each processor")
	r.in.flags(c)
	return c
}

func (r *maskRun) do(c *cobra.Command, policyFile, input, output string) error {
	format := map[string]run.Format{"parquet": run.Parquet, "ipc": run.Arrow}[r.format]
	if format == "" || r.partRows < 0 || r.workers < 0 {
		return usageError{errors.New("mask run: want format parquet or ipc, part-rows and workers of 0 or more")}
	}
	policy, err := readPolicy(policyFile)
	if err != nil {
		return err
	}
	table, err := r.in.open(c.Context(), input)
	if err != nil {
		return err
	}
	r.keys.used = map[string][32]byte{}
	masker, err := masking.CompileWith(policy, table.about.Schema, masking.Sources{Keys: &r.keys})
	if err != nil {
		return err
	}
	if err := r.unfinished(output); err != nil {
		return err
	}
	if err := r.underGraded(c, table, policy); err != nil {
		return err
	}
	sum, err := treeSum(c.Context(), input)
	if err != nil {
		return err
	}
	options := run.Options{Dir: output, Format: format, PartRows: r.partRows, Workers: r.workers}
	bar := newProgress(c.ErrOrStderr(), table.about.Rows)
	options.Progress = bar.show
	if !r.noMeasure {
		options.Measure = measureClasses(policy)
	}
	out, err := run.Run(c.Context(), masker, run.Input{
		Open:   func(ctx context.Context) (array.RecordReader, error) { return table.read(ctx, nil) },
		Digest: r.digest(table, sum), Rows: table.about.Rows,
	}, options)
	bar.end()
	if err != nil {
		return maskHint(err)
	}
	return printMaskReport(c.OutOrStdout(), policy, out, sum)
}

// unfinished refuses to go on by chance with what another call began.
func (r *maskRun) unfinished(output string) error {
	_, err := os.Lstat(strings.TrimRight(output, "/") + ".partial")
	switch {
	case err == nil && !r.resume:
		return errors.New("mask run: unfinished output is there: --resume goes on with it, or remove the .partial directory")
	case errors.Is(err, fs.ErrNotExist) || err == nil:
		return nil
	}
	return errors.New("mask run: output directory unreadable")
}

// digest is of everything beside the policy that decides the output: content, columns and keys.
func (r *maskRun) digest(t *opened, sum audit.Hash) [32]byte {
	parts := []string{"yumen/mask-run/v2", string(sum[:])}
	for _, f := range t.about.Schema.Fields() {
		parts = append(parts, f.Name, f.Type.String())
	}
	parts = append(parts, "read", r.in.separator, strconv.FormatBool(r.in.header), strconv.Itoa(len(r.in.nulls)))
	parts = append(parts, r.in.nulls...)
	parts = append(parts, "keys")
	var names []string
	for name := range r.keys.used {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		version := r.keys.used[name]
		parts = append(parts, name, string(version[:]))
	}
	return [32]byte(audit.HashOf(labelled(parts...)))
}

// treeChunk is what one leaf of a treeSum covers.
const treeChunk = 1 << 20

// treeSum is the SM3 over the SM3 sums of a file's chunks of 1 MiB.
func treeSum(ctx context.Context, path string) (audit.Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return audit.Hash{}, usageError{errors.New("input file unreadable")}
	}
	defer f.Close()
	var sums []byte
	buf := make([]byte, treeChunk)
	for ctx.Err() == nil {
		n, err := io.ReadFull(f, buf)
		if n > 0 {
			sum := audit.HashOf(buf[:n])
			sums = append(sums, sum[:]...)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return audit.HashOf(sums), nil
		}
		if err != nil {
			return audit.Hash{}, errors.New("input: read error")
		}
	}
	return audit.Hash{}, ctx.Err()
}

// maskHint says what to do about an error of a run.
func maskHint(err error) error {
	switch {
	case errors.Is(err, run.ErrOther):
		return fmt.Errorf("%w (the policy, the input, its types or a key is not what it was)", err)
	case errors.Is(err, run.ErrExists), errors.Is(err, run.ErrBusy), errors.Is(err, run.ErrDamaged), errors.Is(err, run.ErrShort):
		return err
	}
	var row *masking.RowError
	if errors.As(err, &row) {
		return err
	}
	return fmt.Errorf("%w (nothing is lost: --resume goes on behind the last complete part)", err)
}

// progress draws on a terminal, and elsewhere stays silent but for its end.
type progress struct {
	bar  *progressbar.ProgressBar
	w    io.Writer
	last run.Progress
}

func newProgress(w io.Writer, rows int64) *progress {
	bar := progressbar.NewOptions64(rows, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("masking"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"),
		progressbar.OptionThrottle(progressEvery), progressbar.OptionSetPredictTime(rows > 0))
	return &progress{bar: bar, w: w}
}

func (p *progress) show(now run.Progress) {
	if p.last.Rows == 0 && now.Resumed {
		_, _ = fmt.Fprintf(p.w, "resumed behind %d complete parts\n", now.Parts)
	}
	p.last = now
	_ = p.bar.Set64(now.Rows)
}

func (p *progress) end() {
	_ = p.bar.Exit()
	_, _ = fmt.Fprintf(p.w, "\n%d rows read, %d written\n", p.last.Rows, p.last.Written)
}
