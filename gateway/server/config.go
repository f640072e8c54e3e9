package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yumen-project/yumen/gateway/alarms"
)

// Config is a literal: nothing is checked until Complete.
type Config struct {
	Mode          string // development or production
	Domain        string // id of the data domain; taken from the domain file where empty
	DomainFile    string // put in force at start
	ApprovalsFile string // signatures of authority and providers
	DataDir       string // log, indexes, keys, development zone
	CheckpointDir string // second path for checkpoints, best on another volume
	SourceRoot    string // registers lie below it
	ListenGRPC    string
	ListenHTTP    string
	TLSCert       string // PEM; made on first start in development
	TLSKey        string
	ClientCA      string // PEM of the CA that signs client certificates
	TokensFile    string // YAML: party: SHA-256 of its bearer token, hex
	KEKFile       string // 16 bytes that wrap the keys at rest
	LogLevel      string
	CacheMB       string
	DrainSeconds  string
	WitnessURL    string // of a witness; its add-checkpoint is called
	WitnessKey    string // public key of the witness, hex
	WitnessMaxAge string // refuse when no cosignature is younger; empty: not required
	WitnessCA     string // PEM; the system's roots where empty
	PushURL       string // of the exchange platform; bundles of the log are posted to it
	PushKey       string // public key the platform signs its replies with, hex
	PushDeadline  string // refuse when an entry has waited longer
	PushCA        string
	PushCert      string // client certificate of the gateway towards the platform
	PushCertKey   string
	AlarmCounts   string // thresholds of alarms
	AlarmSuspend  string // alarms that suspend the party
	AttackHour    string // hour in Asia/Shanghai in which released tables are attacked

	thresholds alarms.Thresholds
	suspendOn  map[alarms.Rule]bool
	cacheBytes int64
	drain      int
	attackHour int
	feeds      feedConfig
}

// Setting is one key of the configuration, in the order in which it is printed.
type Setting struct {
	Key, Default, Usage string
	field               func(*Config) *string
}

// Settings lists every key. A flag is the key with dots as dashes; an environment variable is
// YUMEN_ and the key in capitals with dots as underscores.
func Settings() []Setting {
	return []Setting{
		{"mode", "development", "development or production", func(c *Config) *string { return &c.Mode }},
		{"domain.id", "", "id of the data domain; from the domain file where empty", func(c *Config) *string { return &c.Domain }},
		{"domain.file", "", "domain file put in force at start", func(c *Config) *string { return &c.DomainFile }},
		{"domain.approvals", "", "approvals file; <domain file>.approvals.yaml where empty and present", func(c *Config) *string { return &c.ApprovalsFile }},
		{"data.dir", ".yumen", "directory of log, indexes, keys and development zone", func(c *Config) *string { return &c.DataDir }},
		{"data.checkpoints", "", "second path for checkpoints, best on another volume; below data.dir where empty", func(c *Config) *string { return &c.CheckpointDir }},
		{"data.sources", ".", "directory below which registers are read", func(c *Config) *string { return &c.SourceRoot }},
		{"listen.grpc", "127.0.0.1:7443", "address of gRPC over TLS 1.3", func(c *Config) *string { return &c.ListenGRPC }},
		{"listen.http", "127.0.0.1:7080", "address of REST, health and metrics over TLS 1.3", func(c *Config) *string { return &c.ListenHTTP }},
		{"tls.cert", "", "server certificate, PEM; self-made in development where empty", func(c *Config) *string { return &c.TLSCert }},
		{"tls.key", "", "server key, PEM", func(c *Config) *string { return &c.TLSKey }},
		{"tls.client-ca", "", "CA of client certificates, PEM", func(c *Config) *string { return &c.ClientCA }},
		{"tokens.file", "", "YAML of party: SHA-256 of its bearer token; self-made in development", func(c *Config) *string { return &c.TokensFile }},
		{"kek.file", "", "file of 16 bytes that wrap the keys at rest; needed in production", func(c *Config) *string { return &c.KEKFile }},
		{"log.level", "info", "debug, info, warn or error", func(c *Config) *string { return &c.LogLevel }},
		{"cache.mb", "256", "block cache of each index, MiB", func(c *Config) *string { return &c.CacheMB }},
		{"drain.seconds", "10", "how long a stop waits for calls under way", func(c *Config) *string { return &c.DrainSeconds }},
		{"witness.url", "", "witness that signs the log's checkpoints; none where empty", func(c *Config) *string { return &c.WitnessURL }},
		{"witness.key", "", "public key of the witness, hex", func(c *Config) *string { return &c.WitnessKey }},
		{"witness.max-age", "", "refuse questions when no signature of the witness is younger, e.g. 1m; any age where empty", func(c *Config) *string { return &c.WitnessMaxAge }},
		{"witness.ca", "", "CA of the witness's certificate, PEM; the system's where empty", func(c *Config) *string { return &c.WitnessCA }},
		{"push.url", "", "exchange platform that takes the log's entries; none where empty", func(c *Config) *string { return &c.PushURL }},
		{"push.key", "", "public key the platform signs its replies with, hex", func(c *Config) *string { return &c.PushKey }},
		{"push.deadline", "10s", "refuse questions when an entry has waited longer for the platform", func(c *Config) *string { return &c.PushDeadline }},
		{"push.ca", "", "CA of the platform's certificate, PEM; the system's where empty", func(c *Config) *string { return &c.PushCA }},
		{"push.cert", "", "client certificate towards the platform, PEM", func(c *Config) *string { return &c.PushCert }},
		{"push.cert-key", "", "key of push.cert, PEM", func(c *Config) *string { return &c.PushCertKey }},
		{"alarms.thresholds", "", "RULE=COUNT,... over the defaults; 0 switches a rule off", func(c *Config) *string { return &c.AlarmCounts }},
		{"alarms.suspend", "", "RULE,... that suspend the party they speak about", func(c *Config) *string { return &c.AlarmSuspend }},
		{"attack.hour", "3", "hour in Asia/Shanghai, 1 to 24, in which released tables are attacked every night; 0 switches it off", func(c *Config) *string { return &c.AttackHour }},
	}
}

// Flag is the setting's flag.
func (s *Setting) Flag() string { return strings.ReplaceAll(s.Key, ".", "-") }

// Env is the setting's environment variable.
func (s *Setting) Env() string {
	return "YUMEN_" + strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(s.Key))
}

// maxConfig bounds the configuration file.
const maxConfig = 1 << 20

// Resolve reads a configuration by precedence: flags over environment over file over defaults.
// flags holds only flags that were set. An unknown key of the file is refused with its line.
func Resolve(flags map[string]string, env func(string) (string, bool), file io.Reader) (*Config, error) {
	values, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	for _, s := range Settings() {
		v := s.Default
		if fromFile, ok := values[s.Key]; ok {
			v = fromFile
		}
		if fromEnv, ok := env(s.Env()); ok {
			v = fromEnv
		}
		if fromFlag, ok := flags[s.Flag()]; ok {
			v = fromFlag
		}
		*s.field(c) = v
	}
	return c, nil
}

func readConfig(file io.Reader) (map[string]string, error) {
	out := map[string]string{}
	if file == nil {
		return out, nil
	}
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil || len(text) > maxConfig {
		return nil, errors.New("read configuration: file unreadable or over 1 MiB")
	}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return out, nil
	} else if err != nil {
		return nil, errors.New("read configuration: not YAML")
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("read configuration: want one document")
	}
	if root := doc.Content[0]; root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return out, nil
	}
	known := map[string]bool{}
	for _, s := range Settings() {
		known[s.Key] = true
	}
	return out, flatten(doc.Content[0], "", known, out)
}

func flatten(n *yaml.Node, prefix string, known map[string]bool, out map[string]string) error {
	if n.Kind != yaml.MappingNode || strings.Count(prefix, ".") > 4 {
		return fmt.Errorf("read configuration: line %d: want a mapping", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := prefix + k.Value
		switch {
		case v.Kind == yaml.ScalarNode && known[key]:
			if _, twice := out[key]; twice {
				return fmt.Errorf("read configuration: line %d: key appears twice", k.Line)
			}
			out[key] = v.Value
		case v.Kind == yaml.MappingNode:
			if err := flatten(v, key+".", known, out); err != nil {
				return err
			}
		default:
			return fmt.Errorf("read configuration: line %d: unknown key", k.Line)
		}
	}
	return nil
}

// Complete checks the values and derives the rest.
func (c *Config) Complete() error {
	if c.Mode != "development" && c.Mode != "production" {
		return errors.New("configuration: mode: want development or production")
	}
	if c.DataDir == "" {
		return errors.New("configuration: data.dir: needed")
	}
	if c.CheckpointDir == "" {
		c.CheckpointDir = filepath.Join(c.DataDir, "checkpoints")
	}
	mb, err := strconv.ParseInt(c.CacheMB, 10, 64)
	if err != nil || mb < 1 || mb > 1<<20 {
		return errors.New("configuration: cache.mb: want 1 to 1048576")
	}
	c.cacheBytes = mb << 20
	if c.drain, err = strconv.Atoi(c.DrainSeconds); err != nil || c.drain < 0 || c.drain > 600 {
		return errors.New("configuration: drain.seconds: want 0 to 600")
	}
	if c.thresholds, err = alarms.ParseThresholds(c.AlarmCounts); err != nil {
		return errors.New("configuration: alarms.thresholds: want RULE=COUNT,... with known rules")
	}
	if c.suspendOn, err = alarms.ParseRules(c.AlarmSuspend); err != nil {
		return errors.New("configuration: alarms.suspend: want known rules")
	}
	if c.AttackHour != "" {
		if c.attackHour, err = strconv.Atoi(c.AttackHour); err != nil || c.attackHour < 0 || c.attackHour > 24 {
			return errors.New("configuration: attack.hour: want 0 to 24")
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("configuration: tls.cert and tls.key: both or none")
	}
	if _, err := level(c.LogLevel); err != nil {
		return err
	}
	if c.feeds, err = c.completeFeeds(); err != nil {
		return err
	}
	if c.Mode == "production" {
		return c.checkProduction()
	}
	return nil
}

// checkProduction refuses what the gateway would make for itself in development.
func (c *Config) checkProduction() error {
	switch {
	case c.TLSCert == "":
		return errors.New("configuration: tls.cert: production needs a certificate that was not self-made")
	case c.TokensFile == "" && c.ClientCA == "":
		return errors.New("configuration: tls.client-ca or tokens.file: production needs one")
	case c.KEKFile == "":
		return errors.New("configuration: kek.file: production keeps no key unwrapped")
	case filepath.Clean(c.CheckpointDir) == filepath.Join(c.DataDir, "checkpoints"):
		return errors.New("configuration: data.checkpoints: production needs a second path")
	}
	return nil
}

// Print writes the configuration as YAML. It holds file names and no secret; values of keys that
// could name a secret's place are shown as set or unset.
func (c *Config) Print(w io.Writer) error {
	for _, s := range Settings() {
		v := *s.field(c)
		if s.Key == "kek.file" || s.Key == "tokens.file" || s.Key == "tls.key" || s.Key == "push.cert-key" {
			v = map[bool]string{true: "[set]", false: ""}[v != ""]
		}
		if _, err := fmt.Fprintf(w, "%s: %q\n", s.Key, v); err != nil {
			return err
		}
	}
	return nil
}
