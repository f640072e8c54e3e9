package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/cmd/yumen-party/agent"
	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// state is where a party keeps its keys and what it knows.
type state struct{ dir, kek string }

func (s *state) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.dir, "state", "", "directory of the party's keys and state; never restore an older copy")
	c.Flags().StringVar(&s.kek, "kek-file", "", "file of 16 bytes that wrap the keys at rest")
	_ = c.MarkFlagRequired("state")
}

// wrap reads the key that wraps the others.
func (s *state) wrap() ([]byte, error) {
	if s.kek == "" {
		return nil, nil
	}
	b, err := readBounded(s.kek, 16)
	if err != nil || len(b) != 16 {
		return nil, usageError{errors.New("kek-file: want a readable file of 16 bytes")}
	}
	return b, nil
}

func (s *state) identity() (*agent.Identity, error) {
	kek, err := s.wrap()
	if err != nil {
		return nil, err
	}
	return agent.LoadIdentity(s.dir, kek)
}

// connection is how the agent reaches its gateway, and whom it believes.
type connection struct {
	state
	gateway, ca, token, trust, parties, policy string
	minimum                                    uint64
}

func (n *connection) flags(c *cobra.Command) {
	n.state.flags(c)
	f := c.Flags()
	f.StringVar(&n.gateway, "gateway", "127.0.0.1:7443", "gateway, host:port")
	f.StringVar(&n.ca, "ca", "", "CA of the gateway's certificate, PEM")
	f.StringVar(&n.token, "token-file", "", "bearer token of this party")
	f.StringVar(&n.trust, "trust", "", "trust file of the domain's log")
	f.StringVar(&n.parties, "parties", "", "trust file of the parties' keys, from the data authority")
	for _, name := range []string{"ca", "token-file", "trust", "parties"} {
		_ = c.MarkFlagRequired(name)
	}
}

// open dials and takes up the state.
func (n *connection) open(c *cobra.Command) (*agent.Agent, *encrypted.Parties, func() error, error) {
	o, cl, err := n.options(c)
	if err != nil {
		return nil, nil, nil, err
	}
	a, err := agent.Open(*o)
	if err != nil {
		return nil, nil, nil, errors.Join(err, cl.Close())
	}
	return a, o.Parties, func() error { return errors.Join(a.Close(), cl.Close()) }, nil
}

func (n *connection) options(c *cobra.Command) (*agent.Options, *client.Client, error) {
	id, err := n.identity()
	if err != nil {
		return nil, nil, err
	}
	o := &agent.Options{Dir: n.dir, Identity: id, MinimumSubjects: n.minimum, Clock: time.Now, Rand: rand.Reader,
		Logger: slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelInfo}))}
	if o.Parties, err = readParties(n.parties); err != nil {
		return nil, nil, err
	}
	text, err := readBounded(n.trust, receipt.MaxTrust)
	if err != nil {
		return nil, nil, usageError{errors.New("trust: file unreadable")}
	}
	trust, err := receipt.ParseTrust(text)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("trust: %w", err)}
	}
	if o.Log, err = encrypted.LogKeyOf(trust); err != nil {
		return nil, nil, usageError{err}
	}
	if n.policy != "" {
		text, err := readBounded(n.policy, agent.MaxPolicy)
		if err != nil {
			return nil, nil, usageError{errors.New("policy: file unreadable")}
		}
		if o.Policy, err = agent.ParsePolicy(text); err != nil {
			return nil, nil, usageError{err}
		}
	}
	if o.Params, err = encrypted.StandardParameters(); err != nil {
		return nil, nil, err
	}
	cl, err := n.dial()
	if err != nil {
		return nil, nil, err
	}
	o.Gateway = encrypted.NewGateway(cl.Encrypted, cl.Audit)
	return o, cl, nil
}

func (n *connection) dial() (*client.Client, error) {
	pem, err := readBounded(n.ca, 1<<20)
	if err != nil {
		return nil, usageError{errors.New("ca: file unreadable")}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, usageError{errors.New("ca: no certificate in it")}
	}
	token, err := readBounded(n.token, 1<<12)
	if err != nil {
		return nil, usageError{errors.New("token-file: unreadable")}
	}
	return client.New(client.Options{Address: n.gateway, TLS: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, Token: strings.TrimSpace(string(token))})
}

func readParties(path string) (*encrypted.Parties, error) {
	text, err := readBounded(path, encrypted.MaxParties)
	if err != nil {
		return nil, usageError{errors.New("parties: file unreadable")}
	}
	p, err := encrypted.ParseParties(text)
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New("unreadable")
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err = errors.Join(err, f.Close()); err != nil || int64(len(b)) > limit {
		return nil, errors.New("unreadable or too large")
	}
	return b, nil
}

func initPartyCommand() *cobra.Command {
	var s state
	var party string
	c := &cobra.Command{Use: "init", Short: "make the keys and the empty state of a party, and print what others need of them", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			kek, err := s.wrap()
			if err != nil {
				return err
			}
			id, err := agent.InitIdentity(s.dir, party, kek)
			if err != nil {
				return err
			}
			own := encrypted.Party{ID: party, Agent: id.Agent.Public(), Envelope: id.Envelope.Public(), Request: id.Request.Public()}
			line, err := json.Marshal(own)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), `# for the party %[1]q in the domain file
    agent_key: "%[2]s"
    envelope_key: "%[3]s"
    request_key: "%[4]s"
# for the trust file of parties
%[5]s
# fingerprints (SM3), to be compared by another way
agent    %[6]x
envelope %[7]x
request  %[8]x
`, party, own.Agent, own.Envelope, own.Request, line, own.Agent.ID(), own.Envelope.ID(), own.Request.ID())
			return err
		}}
	s.flags(c)
	c.Flags().StringVar(&party, "party", "", "id of the party in the domain file")
	_ = c.MarkFlagRequired("party")
	return c
}

func statusCommand() *cobra.Command {
	var s state
	c := &cobra.Command{Use: "status", Short: "show what the agent knows, also while it serves", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			id, err := s.identity()
			if err != nil {
				return err
			}
			st, err := agent.ReadStatus(s.dir, id)
			if err != nil {
				return err
			}
			e := json.NewEncoder(c.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(st)
		}}
	s.flags(c)
	return c
}

func serveCommand() *cobra.Command {
	var n connection
	c := &cobra.Command{Use: "serve", Short: "take part in ceremonies, recompute and approve plans, answer released ones; dials out only", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, _, end, err := n.open(c)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(c.OutOrStdout(), "serving", a.Status().Party); err != nil {
				return errors.Join(err, end())
			}
			return errors.Join(a.Run(c.Context()), end())
		}}
	n.flags(c)
	c.Flags().StringVar(&n.policy, "policy", "", "what is approved without a person, YAML; without it everything waits for `approve`")
	c.Flags().Uint64Var(&n.minimum, "minimum-subjects", 0, "distinct subjects in the smallest part of a plan; 0: 10")
	return c
}

// rounds does rounds until done says so, ctx ends or the state cannot be written.
func rounds(ctx context.Context, a *agent.Agent, done func(*agent.Status) (bool, error)) error {
	for {
		if end, err := done(a.Status()); end || err != nil {
			return err
		}
		err := a.Round(ctx, 5*time.Second)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			continue
		case !agent.Passing(err):
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
