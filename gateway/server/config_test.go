package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func noEnv(string) (string, bool) { return "", false }

func envOf(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) {
		v, ok := m[k]
		return v, ok
	}
}

// Flag over environment over file over default, for every key there is.
func TestPrecedenceOfEveryKey(t *testing.T) {
	for _, s := range Settings() {
		for given := range 8 {
			flags, env, file, want := map[string]string{}, map[string]string{}, "", s.Default
			if given&1 != 0 {
				file, want = fmt.Sprintf("%s: %q\n", s.Key, "of the file"), "of the file"
			}
			if given&2 != 0 {
				env[s.Env()], want = "of the environment", "of the environment"
			}
			if given&4 != 0 {
				flags[s.Flag()], want = "of the flag", "of the flag"
			}
			c, err := Resolve(flags, envOf(env), strings.NewReader(file))
			require.NoError(t, err)
			require.Equal(t, want, *s.field(c), "%s %03b", s.Key, given)
		}
	}
}

func TestKeysFlagsAndVariablesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	fields := map[*string]bool{}
	c := &Config{}
	for _, s := range Settings() {
		for _, name := range []string{"key " + s.Key, "flag " + s.Flag(), "env " + s.Env()} {
			require.False(t, seen[name], name)
			seen[name] = true
		}
		require.True(t, strings.HasPrefix(s.Env(), "YUMEN_"))
		require.Regexp(t, `^[A-Z_]+$`, s.Env())
		require.NotEmpty(t, s.Usage)
		require.False(t, fields[s.field(c)], "two keys for one field")
		fields[s.field(c)] = true
	}
}

func TestNestedAndDottedKeysAreTheSame(t *testing.T) {
	for _, text := range []string{"listen:\n  grpc: a\n", "listen.grpc: a\n", "{listen: {grpc: a}}"} {
		c, err := Resolve(nil, noEnv, strings.NewReader(text))
		require.NoError(t, err)
		require.Equal(t, "a", c.ListenGRPC)
	}
}

func TestBadFilesAreRefusedWithTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown":        {"mode: development\nsecret-key: hunter2\n", "line 2: unknown key"},
		"unknown nested": {"listen:\n  grpc: a\n  grcp: b\n", "line 3: unknown key"},
		"unknown section": {
			"mode: development\ndeep:\n  a:\n    b:\n      c:\n        d:\n          e: 1\n", "line"},
		"twice":          {"mode: development\nmode: production\n", ""},
		"twice, dotted":  {"listen.grpc: a\nlisten:\n  grpc: b\n", "line 3: key appears twice"},
		"list":           {"mode: [development]\n", "line 1: unknown key"},
		"top is a list":  {"- mode\n", "line 1: want a mapping"},
		"top is a word":  {"mode\n", "line 1: want a mapping"},
		"alias":          {"mode: &a development\ndomain:\n  id: *a\n", "line 3: unknown key"},
		"merge":          {"base: &b {grpc: x}\nlisten:\n  <<: *b\n", "line"},
		"section as key": {"listen: a\n", "line 1: unknown key"},
		"not YAML":       {"mode: \"hunter2\n", "not YAML"},
		"tabs":           {"\tmode: hunter2", "not YAML"},
		"two documents":  {"mode: development\n---\nmode: production\nsecret: hunter2\n", "one document"},
	} {
		_, err := Resolve(nil, noEnv, strings.NewReader(c.text))
		require.Error(t, err, name)
		require.Contains(t, err.Error(), c.want, name)
		require.NotContains(t, err.Error(), "hunter2", name)
	}
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := range 20 {
		bomb += fmt.Sprintf("b%d: &b%d [*a,*a,*a,*a,*a,*a,*a,*a]\n", i, i)
	}
	_, err := Resolve(nil, noEnv, strings.NewReader(bomb))
	require.Error(t, err)
	_, err = Resolve(nil, noEnv, strings.NewReader("mode: development\n"+strings.Repeat("# long\n", maxConfig/6)))
	require.Error(t, err)
	for _, empty := range []string{"", "\n", "# nothing\n", "---\n"} {
		_, err := Resolve(nil, noEnv, strings.NewReader(empty))
		require.NoError(t, err, "%q", empty)
	}
}

func defaults(t testing.TB, flags map[string]string) *Config {
	t.Helper()
	c, err := Resolve(flags, noEnv, nil)
	require.NoError(t, err)
	return c
}

func TestCompleteRefusesWithTheKey(t *testing.T) {
	require.NoError(t, defaults(t, nil).Complete())
	for flag, values := range map[string][]string{
		"mode": {"", "prod", "Production"}, "data-dir": {""}, "cache-mb": {"", "0", "-1", "64MiB", "1048577", "9999999999999999999"},
		"drain-seconds": {"", "-1", "601", "1.5"}, "log-level": {"", "loud"}, "tls-cert": {"cert.pem"}, "tls-key": {"key.pem"},
	} {
		for _, v := range values {
			err := defaults(t, map[string]string{flag: v}).Complete()
			require.Error(t, err, "%s=%q", flag, v)
			require.Contains(t, err.Error(), "configuration: ")
			require.Contains(t, err.Error(), strings.SplitN(flag, "-", 2)[0])
		}
	}
}

func production() map[string]string {
	return map[string]string{
		"mode": "production", "tls-cert": "c", "tls-key": "k", "tls-client-ca": "ca", "kek-file": "kek", "data-checkpoints": "/second",
	}
}

// Production makes nothing for itself.
func TestProductionRefusesWhatIsSelfMade(t *testing.T) {
	require.NoError(t, defaults(t, production()).Complete())
	tokens := production()
	delete(tokens, "tls-client-ca")
	tokens["tokens-file"] = "t"
	require.NoError(t, defaults(t, tokens).Complete())
	for cut, want := range map[string]string{
		"tls-client-ca": "tokens.file", "kek-file": "kek.file", "data-checkpoints": "data.checkpoints",
	} {
		flags := production()
		delete(flags, cut)
		require.ErrorContains(t, defaults(t, flags).Complete(), want)
	}
	flags := production()
	delete(flags, "tls-cert")
	delete(flags, "tls-key")
	require.ErrorContains(t, defaults(t, flags).Complete(), "tls.cert")
	flags = production()
	flags["data-checkpoints"], flags["data-dir"] = ".yumen/./checkpoints", ".yumen"
	require.ErrorContains(t, defaults(t, flags).Complete(), "data.checkpoints", "the same path by another spelling")
}

func TestPrintRedactsAndCanBeReadBack(t *testing.T) {
	flags := map[string]string{"kek-file": "/secret/kek", "tokens-file": "/secret/tokens", "tls-key": "/secret/key", "tls-cert": "/public/cert", "domain-id": "a \"b\"\n"}
	c := defaults(t, flags)
	var out bytes.Buffer
	require.NoError(t, c.Print(&out))
	require.NotContains(t, out.String(), "/secret")
	require.Contains(t, out.String(), "kek.file: \"[set]\"")
	require.Contains(t, out.String(), "tls.client-ca: \"\"")
	back, err := Resolve(nil, noEnv, &out)
	require.NoError(t, err)
	require.Equal(t, c.Domain, back.Domain)
	require.Equal(t, c.TLSCert, back.TLSCert)
}

func TestPrintedConfigurationIsAConfiguration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Config{}
		want := map[string]string{}
		for _, s := range Settings() {
			v := rapid.StringMatching(`[ -~张]{0,12}`).Draw(t, s.Key)
			*s.field(c) = v
			want[s.Key] = v
		}
		var out bytes.Buffer
		require.NoError(t, c.Print(&out))
		back, err := Resolve(nil, noEnv, &out)
		require.NoError(t, err)
		for _, s := range Settings() {
			if !strings.Contains(*s.field(back), "[set]") {
				require.Equal(t, want[s.Key], *s.field(back))
			}
		}
	})
}

func FuzzResolve(f *testing.F) {
	f.Add("mode: production\nlisten:\n  grpc: a\n")
	f.Add("a: &a {b: *a}")
	f.Add("? [a]\n: b")
	f.Add("!!binary x: y")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Resolve(nil, noEnv, strings.NewReader(text))
		if err == nil {
			_ = c.Complete()
			return
		}
		require.True(t, strings.HasPrefix(err.Error(), "read configuration: "))
	})
}
