package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/server"
)

// findAgent finds yumen-party beside this program, in PATH, or builds it where this
// is a source tree.
func findAgent(ctx context.Context, out string) (string, error) {
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), "yumen-party")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	if found, err := exec.LookPath("yumen-party"); err == nil {
		return found, nil
	}
	path, err := filepath.Abs(filepath.Join(out, "yumen-party"))
	if err != nil {
		return "", errors.New("out: no absolute path")
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/yumen-project/yumen/cmd/yumen-party")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return "", errors.New("yumen-party is neither beside this program nor in PATH, and cannot be built here")
	}
	return path, nil
}

// partyProcess is a party and, while it serves, its process.
type partyProcess struct {
	d      *encryptedDemo
	name   string
	policy string

	mu  sync.Mutex
	cmd *exec.Cmd
	end chan struct{} // closed when the process is gone
}

func (p *partyProcess) dir() string { return filepath.Join(p.d.out, "parties", p.name) }

// args are those every command of a connected party has.
func (p *partyProcess) args(command string, more ...string) []string {
	return append([]string{command, "--state", p.dir(), "--gateway", p.d.server.GRPCAddr(), "--ca", p.d.data("tls", "ca.pem"),
		"--token-file", server.TokenFile(p.d.data(), p.name), "--trust", filepath.Join(p.d.out, "trust", "trust.json"),
		"--parties", filepath.Join(p.d.out, "parties.json")}, more...)
}

// run runs one command to its end and gives what it printed.
func (p *partyProcess) run(ctx context.Context, args ...string) (string, error) {
	var out, bad bytes.Buffer
	c := exec.CommandContext(ctx, p.d.agentBinary, args...)
	c.Stdout, c.Stderr = &out, &bad
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s: yumen-party %s: %w: %s", p.name, args[0], err, strings.TrimSpace(bad.String()))
	}
	return out.String(), nil
}

// serve starts the agent's process.
func (p *partyProcess) serve() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.dir()+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.New("out: not writable")
	}
	p.cmd = exec.Command(p.d.agentBinary, p.args("serve", "--policy", p.policy)...)
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("%s: start: %w", p.name, err)
	}
	p.end = make(chan struct{})
	go func(c *exec.Cmd, end chan struct{}) {
		defer close(end)
		_ = errors.Join(c.Wait(), log.Close()) // its own log says what went wrong
	}(p.cmd, p.end)
	return nil
}

// kill ends the process as a power failure would.
func (p *partyProcess) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.end
	p.cmd = nil
}

// stop ends the process in good order, or after a while.
func (p *partyProcess) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.end:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.end
	}
	p.cmd = nil
}

// partyStatus is what is read of `yumen-party status`.
type partyStatus struct {
	Older      int `json:"older_copies_found"`
	Unknown    int `json:"unexplained_entries"`
	Ceremonies []struct{ ID, Stage, Rule string }
	Keys       []struct{ Certificate string }
	Queries    []struct{ ID, Stage, Rule string }
}

func (p *partyProcess) status(ctx context.Context) (*partyStatus, error) {
	text, err := p.run(ctx, "status", "--state", p.dir())
	if err != nil {
		return nil, err
	}
	s := &partyStatus{}
	if json.Unmarshal([]byte(text), s) != nil {
		return nil, fmt.Errorf("%s: status not understood", p.name)
	}
	return s, nil
}

func (s *partyStatus) count(stage string) (n int) {
	for _, c := range s.Ceremonies {
		if c.Stage == stage {
			n++
		}
	}
	return n
}

// enrol lets every party make its keys, collects the trust file, and writes and signs
// the domain file.
func (d *encryptedDemo) enrol(ctx context.Context) error {
	d.parties = map[string]*partyProcess{}
	text := strings.NewReplacer("TERMS", strings.Repeat("5a", 32), "PLAN", strings.Repeat("6b", 32)).Replace(encryptedDomain)
	trust := encrypted.Parties{Format: 1, Authority: keyAuthority, Threshold: 2}
	policy := filepath.Join(d.out, "policy.yaml")
	if err := os.WriteFile(policy, []byte(encryptedPolicy), 0o600); err != nil {
		return errors.New("out: not writable")
	}
	for _, name := range encryptedParties() {
		p := &partyProcess{d: d, name: name, policy: policy}
		d.parties[name] = p
		out, err := p.run(ctx, "init", "--state", p.dir(), "--party", name)
		if err != nil {
			return err
		}
		var keys []string
		for line := range strings.Lines(out) {
			switch {
			case strings.HasPrefix(line, "    "):
				keys = append(keys, strings.TrimRight(line, "\n"))
			case strings.HasPrefix(line, "{"):
				var one encrypted.Party
				if err := json.Unmarshal([]byte(line), &one); err != nil {
					return fmt.Errorf("%s: init: not understood", name)
				}
				trust.List = append(trust.List, one)
			}
		}
		text = strings.ReplaceAll(text, "PARTY("+name+")", strings.Join(keys, "\n"))
	}
	file, err := json.Marshal(trust)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.out, "parties.json"), file, 0o600); err != nil {
		return errors.New("out: not writable")
	}
	return d.writeEncryptedDomain(text)
}

// encryptedPolicy is what the holders of the demonstration approve without a person.
const encryptedPolicy = `requesters: [bank]
aggregates: [wage-sum, value-mean, age-variance, wage-by-industry, persons-by-kind, wage-value-correlation, adult-age, adult-rich, adult-education, adult-correlation]
scenarios: [housing-finance]
minimum_subjects: 20
`

func (d *encryptedDemo) writeEncryptedDomain(text string) error {
	keyFile := func(party string) string { return d.data("party-keys", party+".key") }
	if err := os.MkdirAll(d.data("party-keys"), 0o700); err != nil {
		return errors.New("out: not writable")
	}
	wanted := []server.Approval{{Object: "scenario", ID: "housing-finance", Party: keyAuthority, Role: "authority", KeyFile: keyFile(keyAuthority)}}
	for _, party := range append([]string{keyAuthority}, keyProviders...) {
		public, err := server.GenerateKey(keyFile(party), server.ApprovalKey)
		if err != nil {
			return err
		}
		text = strings.ReplaceAll(text, "KEY("+party+")", public)
		if party != keyAuthority {
			wanted = append(wanted, server.Approval{Object: "scenario", ID: "housing-finance", Party: party, Role: "provider", KeyFile: keyFile(party)})
		}
	}
	approvals, err := server.Approve([]byte(text), nil, wanted...)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(d.data("domain.yaml"), []byte(text), 0o600), os.WriteFile(d.data("domain.approvals.yaml"), approvals, 0o600))
}

// serveGateway starts the gateway in this process and connects the requester.
func (d *encryptedDemo) serveGateway(ctx context.Context) (<-chan error, error) {
	served, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(d.out, "trust"), 0o700); err != nil {
		return nil, errors.New("out: not writable")
	}
	if err := os.WriteFile(filepath.Join(d.out, "trust", "trust.json"), d.server.Runner().Trust(), 0o600); err != nil {
		return nil, errors.New("out: not writable")
	}
	return served, d.connectRequester()
}

func (d *encryptedDemo) connectRequester() error {
	roots, err := server.LoadCA(d.data("tls", "ca.pem"))
	if err != nil {
		return err
	}
	trust, err := receipt.LoadTrust(os.DirFS(filepath.Join(d.out, "trust")))
	if err != nil {
		return err
	}
	token, err := os.ReadFile(server.TokenFile(d.data(), encryptedAsker))
	if err != nil {
		return errors.New("token unreadable")
	}
	d.client, err = client.New(client.Options{Address: d.server.GRPCAddr(), TLS: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots},
		Token: strings.TrimSpace(string(token)), Trust: trust})
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(d.out, "parties.json"))
	if err != nil {
		return errors.New("parties: unreadable")
	}
	parties, err := encrypted.ParseParties(text)
	if err != nil {
		return err
	}
	d.requester, err = requesterOf(d.parties[encryptedAsker].dir(), "", encryptedAsker, encrypted.NewGateway(d.client.Encrypted, d.client.Audit), parties, trust)
	return err
}
