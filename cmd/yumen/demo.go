package main

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/yumen-project/yumen/benchmarks/city"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/server"
)

//go:embed demodata/domain.yaml
var demoDomain string

// demo is one run of `yumen demo`.
type demo struct {
	out, lang string
	persons   int
	keep      bool
	stdout    io.Writer
	stderr    io.Writer

	town   *city.City
	people demoPeople
	server *server.Server
	units  map[string]*client.Client
	rows   []demoRow
}

func demoCommand() *cobra.Command {
	d := &demo{}
	c := &cobra.Command{Use: "demo", Short: "make a city, run the gateway on it, ask, refuse, verify every receipt", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d.stdout, d.stderr = c.OutOrStdout(), c.ErrOrStderr()
			if d.lang != "zh" && d.lang != "en" {
				return usageError{errors.New("lang: want zh or en")}
			}
			if d.persons < 2000 || d.persons > 10_000_000 {
				return usageError{errors.New("persons: want 2000 to 10000000")}
			}
			return d.run(c.Context())
		}}
	f := c.Flags()
	f.StringVar(&d.out, "out", "demo", "directory for receipts/, results/, trust/, log/; made anew")
	f.IntVar(&d.persons, "persons", 20000, "persons of the city")
	f.StringVar(&d.lang, "lang", "zh", "zh or en")
	f.BoolVar(&d.keep, "keep", false, "keep serving after the demonstration, until interrupted")
	return c
}

func (d *demo) run(ctx context.Context) error {
	if err := d.freshDir(); err != nil {
		return err
	}
	if err := d.makeCity(ctx); err != nil {
		return err
	}
	if err := d.writeDomain(); err != nil {
		return err
	}
	serveCtx, stop := context.WithCancel(ctx)
	defer stop()
	served, err := d.serve(serveCtx)
	if err != nil {
		return err
	}
	err = d.ask(ctx)
	if err == nil {
		err = d.export(ctx)
	}
	if err == nil {
		err = d.report(ctx)
	}
	if err == nil && d.keep {
		d.tellHow()
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-served)
}

// marker names a directory that an earlier run made and that may be made anew.
const marker = ".yumen-demo"

func (d *demo) freshDir() error {
	entries, err := os.ReadDir(d.out)
	if err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(d.out, marker)); err != nil {
			return usageError{errors.New("out: directory is not empty and not of an earlier demo")}
		}
		if err := os.RemoveAll(d.out); err != nil {
			return errors.New("out: cannot be made anew")
		}
	}
	if err := os.MkdirAll(d.data("city"), 0o700); err != nil {
		return errors.New("out: not writable")
	}
	return os.WriteFile(filepath.Join(d.out, marker), nil, 0o600)
}

// data is a path of the gateway's own directory, which holds what never leaves.
func (d *demo) data(parts ...string) string {
	return filepath.Join(append([]string{d.out, "gateway"}, parts...)...)
}

func (d *demo) makeCity(ctx context.Context) error {
	var err error
	if d.town, err = city.New(city.Params{Persons: d.persons, Seed: 20261031}); err != nil {
		return err
	}
	var progress func(done, total int64)
	if f, ok := d.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(d.say("生成城市", "making a city")), progressbar.OptionClearOnFinish())
		progress = func(done, total int64) {
			bar.ChangeMax64(total)
			_ = bar.Set64(done)
		}
	}
	if err := d.town.Write(ctx, d.data("city"), city.Parquet, progress); err != nil {
		return err
	}
	return d.people.find(d.town)
}

// writeDomain fills keys and subjects into the embedded domain file and signs every scenario as
// authority and as provider, as `yumen keygen` and `yumen approve` do.
func (d *demo) writeDomain() error {
	text := strings.NewReplacer("TERMS", strings.Repeat("5a", 32), "PLAN", strings.Repeat("6b", 32), "LETTER", strings.Repeat("7c", 32),
		"SUBJECT(single)", d.people.single.RID, "SUBJECT(certified)", d.people.certified.RID).Replace(demoDomain)
	keyFile := func(party string) string { return d.data("party-keys", party+".key") }
	if err := os.MkdirAll(d.data("party-keys"), 0o700); err != nil {
		return errors.New("out: not writable")
	}
	for _, party := range []string{"shuju", "gongan", "minzheng", "zhujian", "renshe"} {
		public, err := server.GenerateKey(keyFile(party), server.ApprovalKey)
		if err != nil {
			return err
		}
		text = strings.ReplaceAll(text, "KEY("+party+")", public)
	}
	var wanted []server.Approval
	for scenario, providers := range map[string][]string{
		"property-finance": {"zhujian", "renshe", "gongan"}, "happy-housing": {"zhujian", "gongan"},
		"marriage": {"minzheng", "gongan"}, "domestic-service": {"renshe"},
	} {
		wanted = append(wanted, server.Approval{Object: "scenario", ID: scenario, Party: "shuju", Role: "authority", KeyFile: keyFile("shuju")})
		for _, p := range providers {
			wanted = append(wanted, server.Approval{Object: "scenario", ID: scenario, Party: p, Role: "provider", KeyFile: keyFile(p)})
		}
	}
	approvals, err := server.Approve([]byte(text), nil, wanted...)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(d.data("domain.yaml"), []byte(text), 0o600), os.WriteFile(d.data("domain.approvals.yaml"), approvals, 0o600))
}

// serve starts the gateway in this process, as `yumen serve` would; only the ports differ unless kept.
func (d *demo) serve(ctx context.Context) (<-chan error, error) {
	served, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	return served, d.connect()
}

func (d *demo) open(ctx context.Context) (<-chan error, error) {
	flags := map[string]string{
		"data-dir": d.data(), "data-sources": d.data("city"), "domain-file": d.data("domain.yaml"), "log-level": "error",
	}
	if !d.keep {
		flags["listen-grpc"], flags["listen-http"] = "127.0.0.1:0", "127.0.0.1:0"
	}
	config, err := server.Resolve(flags, func(string) (string, bool) { return "", false }, nil)
	if err == nil {
		err = config.Complete()
	}
	if err != nil {
		return nil, err
	}
	logger := slog.New(slog.NewJSONHandler(d.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if d.server, err = server.Open(ctx, config, version, logger); err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- d.server.Run(ctx) }()
	return served, nil
}

func (d *demo) connect() error {
	roots, err := server.LoadCA(d.data("tls", "ca.pem"))
	if err != nil {
		return err
	}
	trust, err := receipt.LoadTrust(os.DirFS(d.data("trust")))
	if err != nil {
		return err
	}
	d.units = map[string]*client.Client{}
	for _, party := range []string{"bank", "leju", "hunlian", "jiazheng", "yunying", "shuju"} {
		token, err := os.ReadFile(server.TokenFile(d.data(), party))
		if err != nil {
			return errors.New("token unreadable")
		}
		d.units[party], err = client.New(client.Options{
			Address: d.server.GRPCAddr(), TLS: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, Token: strings.TrimSpace(string(token)), Trust: trust,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// export writes what a verifier needs: trust file and public log.
func (d *demo) export(ctx context.Context) error {
	runner := d.server.Runner()
	if err := os.MkdirAll(filepath.Join(d.out, "trust"), 0o700); err != nil {
		return errors.New("out: not writable")
	}
	if err := os.WriteFile(filepath.Join(d.out, "trust", "trust.json"), runner.Trust(), 0o600); err != nil {
		return errors.New("out: not writable")
	}
	return runner.Export(ctx, filepath.Join(d.out, "log"))
}

func (d *demo) say(zh, en string) string {
	if d.lang == "zh" {
		return zh
	}
	return en
}

// tellHow prints a first question to try by hand.
func (d *demo) tellHow() {
	fmt.Fprintf(d.stdout, `
%s gRPC %s, REST https://%s

  curl --cacert %s -H "Authorization: Bearer $(cat %s)" https://%s/v1/verify \
    -d '{"scenario":"property-finance","template":"owns-home","subject":{"number":"%s"},"idempotency_key":"my-first-question","key_time_ms":"%d"}'
`, d.say("网关仍在运行:", "the gateway is running:"), d.server.GRPCAddr(), d.server.HTTPAddr(),
		d.data("tls", "ca.pem"), server.TokenFile(d.data(), "bank"), d.server.HTTPAddr(), d.people.owner.RID, time.Now().UnixMilli())
}
