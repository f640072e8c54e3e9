package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

//go:embed demodata/encrypted.yaml
var encryptedDomain string

// encryptedDemo is one run of `yumen demo encrypted`. It uses the gateway's part of demo.
type encryptedDemo struct {
	demo
	rows        int
	adult       string
	agentBinary string

	parties   map[string]*partyProcess
	table     map[string]*clearTable // the clear data, by dataset
	requester *encrypted.Requester
	client    *client.Client
	answers   []encryptedAnswer
	figures   [][2]string
}

// encryptedAnswer is one line of the table at the end.
type encryptedAnswer struct {
	aggregate, figure, value, clear string
	same                            bool
}

func demosCommand() *cobra.Command {
	c := demoCommand()
	c.AddCommand(demoEncryptedCommand())
	return c
}

func demoEncryptedCommand() *cobra.Command {
	d := &encryptedDemo{}
	c := &cobra.Command{Use: "encrypted", Short: "three departments, three key holders, a gateway that cannot read: ask, and compare with the clear result", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d.stdout, d.stderr = c.OutOrStdout(), c.ErrOrStderr()
			if d.lang != "zh" && d.lang != "en" {
				return usageError{errors.New("lang: want zh or en")}
			}
			if d.rows < 1000 || d.rows > 10_000_000 {
				return usageError{errors.New("rows: want 1000 to 10000000")}
			}
			return d.run(c.Context())
		}}
	f := c.Flags()
	f.StringVar(&d.out, "out", "demo-encrypted", "directory for everything; made anew")
	f.IntVar(&d.rows, "rows", 1_000_000, "rows of each department")
	f.StringVar(&d.adult, "adult", "", "UCI Adult, adult.csv; of YUMEN_TESTDATA where empty; left out where there is none")
	f.StringVar(&d.lang, "lang", "zh", "zh or en")
	return c
}

const (
	keyAuthority, keyExchange, keyAuditor = "shuju", "jiaohuan", "jianguan"
	encryptedAsker                        = "bank"
)

var (
	keyHolders   = []string{keyAuthority, keyExchange, keyAuditor}
	keyProviders = []string{"renshe", "zhujian", "gongan"}
)

func (d *encryptedDemo) run(ctx context.Context) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := d.freshDir(); err != nil {
		return err
	}
	if d.agentBinary, err = findAgent(ctx, d.out); err != nil {
		return err
	}
	if d.adult == "" && os.Getenv("YUMEN_TESTDATA") != "" {
		d.adult = filepath.Join(os.Getenv("YUMEN_TESTDATA"), "adult", "adult.csv")
	}
	began := time.Now()
	d.tell("造三家部门的数据", "making the data of three departments")
	if err := d.makeTables(); err != nil {
		return err
	}
	d.figure(d.say("造数据", "making data"), time.Since(began))
	if err := d.enrol(ctx); err != nil {
		return err
	}
	serveCtx, stopServe := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServe()
	served, err := d.serveGateway(serveCtx)
	if err != nil {
		return err
	}
	err = d.steps(ctx)
	for _, p := range d.parties {
		p.stop()
	}
	stopServe()
	return errors.Join(err, <-served, d.report())
}

func (d *encryptedDemo) steps(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.ceremonies, d.encrypt, d.ask} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *encryptedDemo) tell(zh, en string) { fmt.Fprintln(d.stderr, d.say(zh, en)) }

func (d *encryptedDemo) figure(name string, v any) {
	text := fmt.Sprint(v)
	if t, ok := v.(time.Duration); ok {
		text = t.Round(time.Millisecond).String()
	}
	d.figures = append(d.figures, [2]string{name, text})
}

// report prints results and figures; a difference is an error.
func (d *encryptedDemo) report() error {
	if len(d.answers) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(d.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, d.say("聚合\t数\t密文结果\t明文结果\t一致", "AGGREGATE\tFIGURE\tENCRYPTED\tCLEAR\tSAME"))
	different := 0
	for _, a := range d.answers {
		same := d.say("是", "yes")
		if !a.same {
			same, different = d.say("否", "NO"), different+1
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", a.aggregate, a.figure, a.value, a.clear, same)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(d.stdout)
	for _, f := range d.figures {
		fmt.Fprintf(t, "%s\t%s\n", f[0], f[1])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if different > 0 {
		return fmt.Errorf("%d figures differ from the clear result", different)
	}
	return nil
}

// parts are all who run an agent, and the one who asks.
func encryptedParties() []string {
	return append(slices.Concat(keyHolders, keyProviders), encryptedAsker)
}
