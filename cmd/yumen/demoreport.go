package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/yumen-project/yumen/gateway/receipt"
)

// report prints what was asked and verifies every receipt with the code of yumen-verify.
func (d *demo) report(ctx context.Context) error {
	header := []string{d.say("谁", "who"), d.say("问题", "question"), d.say("结果", "outcome"), d.say("凭证", "receipt")}
	table := [][]string{header}
	refused := 0
	for _, r := range d.rows {
		table = append(table, []string{r.who, r.question, r.answer, r.receipt})
		if r.refused {
			refused++
		}
	}
	d.print(table)
	verified, err := d.verifyReceipts()
	if err != nil {
		return err
	}
	trust, err := receipt.LoadTrust(os.DirFS(filepath.Join(d.out, "trust")))
	if err != nil {
		return err
	}
	if !receipt.VerifyLog(ctx, filepath.Join(d.out, "log"), nil, trust).OK() {
		return errUnverified
	}
	_, err = fmt.Fprintf(d.stdout, d.say("\n%d 个问题,%d 个被拒绝;%d 张凭证与日志全部离线验证通过\n  yumen-verify %s/receipts/X.json --result %s/results/X.json --trust %s/trust\n",
		"\n%d questions, %d refused; %d receipts and the log verified offline\n  yumen-verify %s/receipts/X.json --result %s/results/X.json --trust %s/trust\n"),
		len(d.rows), refused, verified, d.out, d.out, d.out)
	return err
}

var errUnverified = errors.New("a receipt or the log does not verify")

func (d *demo) verifyReceipts() (int, error) {
	trust, err := receipt.LoadTrust(os.DirFS(filepath.Join(d.out, "trust")))
	if err != nil {
		return 0, err
	}
	dir := os.DirFS(filepath.Join(d.out, "receipts"))
	names, err := fs.Glob(dir, "*.json")
	if err != nil || len(names) == 0 {
		return 0, errUnverified
	}
	for _, name := range names {
		file, err := fs.ReadFile(dir, name)
		if err != nil {
			return 0, errUnverified
		}
		result, err := os.ReadFile(filepath.Join(d.out, "results", name))
		if err != nil {
			return 0, errUnverified
		}
		if !receipt.Verify(file, result, trust, time.Now()).OK() {
			return 0, errUnverified
		}
	}
	return len(names), nil
}

// print aligns columns by display width, where a Han character takes two cells.
func (d *demo) print(table [][]string) {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	for _, row := range table {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-displayWidth(cell)+2))
			}
		}
		fmt.Fprintln(d.stdout, b.String())
	}
}

func displayWidth(s string) (n int) {
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
