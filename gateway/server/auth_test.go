package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

func digestOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func tokensFile(t *testing.T, text string) *Config {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "tokens.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return &Config{DataDir: dir, TokensFile: path}
}

func TestTokensAreKnownByTheirDigest(t *testing.T) {
	a, err := newAuthenticator(tokensFile(t, "bank: "+digestOf("s3cret")+"\nagency: "+strings.ToUpper(digestOf("other"))+"\n"))
	require.NoError(t, err)
	require.Equal(t, "bank", a.byToken("Bearer s3cret"))
	require.Equal(t, "agency", a.byToken("Bearer other"))
	for _, header := range []string{
		"", "s3cret", "Bearer", "Bearer ", "Bearer s3cret ", "Bearer  s3cret", "Basic s3cret", "Bearer " + digestOf("s3cret"),
		"Bearer " + strings.Repeat("x", 1<<20), "Bearer s3cret\x00",
	} {
		require.Empty(t, a.byToken(header), "%.20q", header)
	}
}

func TestBadTokensFilesAreRefused(t *testing.T) {
	good := digestOf("x")
	for name, text := range map[string]string{
		"short digest": "bank: " + good[:62], "long digest": "bank: " + good + "00", "not hex": "bank: " + strings.Repeat("z", 64),
		"the operator": "\"@local\": " + good, "not a map": "- bank", "twice": "bank: " + good + "\nbank: " + good, "not YAML": "bank: [",
	} {
		_, err := newAuthenticator(tokensFile(t, text))
		require.ErrorIs(t, err, errTokens, name)
	}
	_, err := newAuthenticator(&Config{DataDir: t.TempDir(), TokensFile: "/no/such/file"})
	require.ErrorIs(t, err, errTokens)
	require.NotContains(t, err.Error(), "/no")
}

func TestAdministrationTokenIsMadeOnceAndItsOwnersAlone(t *testing.T) {
	c := &Config{DataDir: t.TempDir()}
	a, err := newAuthenticator(c)
	require.NoError(t, err)
	path := TokenFile(c.DataDir, "admin")
	token, err := os.ReadFile(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	require.Equal(t, job.Local, a.byToken("Bearer "+strings.TrimSpace(string(token))))
	again, err := newAuthenticator(c)
	require.NoError(t, err)
	require.Equal(t, a.tokens, again.tokens)
	other, err := newAuthenticator(&Config{DataDir: t.TempDir()})
	require.NoError(t, err)
	require.NotEqual(t, a.tokens, other.tokens)
}

// A token file that a crash left empty must not make the empty token the administrator's.
func TestEmptyTokenFileIsNobody(t *testing.T) {
	for _, text := range []string{"", "\n", "  \n", "short\n"} {
		c := &Config{DataDir: t.TempDir()}
		require.NoError(t, os.MkdirAll(filepath.Join(c.DataDir, "tokens"), 0o700))
		require.NoError(t, os.WriteFile(TokenFile(c.DataDir, "admin"), []byte(text), 0o600))
		_, err := newAuthenticator(c)
		require.ErrorIs(t, err, errTokens, "%q", text)
	}
}

func TestTokenFilesStayInTheirDirectory(t *testing.T) {
	for _, name := range []string{"../admin", "/etc/passwd", "a/../../b", "."} {
		require.Equal(t, filepath.Join("data", "tokens"), filepath.Dir(TokenFile("data", name)), name)
	}
}

func chain(uris ...string) [][]*x509.Certificate {
	c := &x509.Certificate{}
	for _, u := range uris {
		parsed, _ := url.Parse(u)
		c.URIs = append(c.URIs, parsed)
	}
	return [][]*x509.Certificate{{c}}
}

func TestPartyOfACertificate(t *testing.T) {
	require.Equal(t, "bank", byCertificate(chain("yumen:party:bank")))
	require.Equal(t, "bank", byCertificate(chain("https://example.test/", "yumen:party:bank")))
	for name, chains := range map[string][][]*x509.Certificate{
		"unverified": nil, "empty": {{}}, "no URI": chain(), "the operator": chain("yumen:party:@local"), "nobody": chain("yumen:party:"),
		"another scheme": chain("spiffe:party:bank"), "another kind": chain("yumen:unit:bank"), "as a host": chain("yumen://party/bank"),
	} {
		require.Empty(t, byCertificate(chains), name)
	}
	cn := chain()
	cn[0][0].Subject.CommonName = "bank"
	cn[0][0].DNSNames = []string{"bank"}
	require.Empty(t, byCertificate(cn), "a name is no party")
}

func TestCertificateGoesBeforeToken(t *testing.T) {
	a := &authenticator{tokens: map[[32]byte]string{sha256.Sum256([]byte("t")): "tokenholder"}}
	var got string
	h := a.http(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = spec.PartyOf(r.Context()) }))
	for want, req := range map[string]*http.Request{"": {}, "tokenholder": {Header: http.Header{"Authorization": {"Bearer t"}}},
		"bank": {Header: http.Header{"Authorization": {"Bearer t"}}, TLS: &tls.ConnectionState{VerifiedChains: chain("yumen:party:bank")}},
	} {
		h.ServeHTTP(httptest.NewRecorder(), req)
		require.Equal(t, want, got)
	}
	// Certificates that were shown and not verified count for nothing.
	h.ServeHTTP(httptest.NewRecorder(), &http.Request{TLS: &tls.ConnectionState{PeerCertificates: chain("yumen:party:bank")[0]}})
	require.Empty(t, got)
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs("authorization", "Bearer t"))
	require.Equal(t, "tokenholder", a.party(ctx))
	require.Empty(t, a.party(context.Background()))
}

func TestDevelopmentCAFilesAreTheOwnersAlone(t *testing.T) {
	c := &Config{DataDir: t.TempDir()}
	first, err := serverTLS(c, time.Now())
	require.NoError(t, err)
	require.EqualValues(t, tls.VersionTLS13, first.MinVersion)
	require.Equal(t, tls.VerifyClientCertIfGiven, first.ClientAuth)
	_, _, err = IssueDevelopmentClient(c.DataDir, "bank", time.Now())
	require.NoError(t, err)
	dir := filepath.Join(c.DataDir, "tls")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 6)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), e.Name())
	}
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	second, err := serverTLS(c, time.Now())
	require.NoError(t, err)
	require.Equal(t, first.Certificates[0].Certificate, second.Certificates[0].Certificate, "made once")
}

func TestUnusableTLSFilesAreRefusedWithoutTheirPath(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.pem")
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	for name, c := range map[string]*Config{
		"missing": {DataDir: dir, TLSCert: filepath.Join(dir, "no"), TLSKey: filepath.Join(dir, "no")},
		"junk":    {DataDir: dir, TLSCert: junk, TLSKey: junk},
		"CA":      {DataDir: dir, ClientCA: junk},
		"no CA":   {DataDir: dir, ClientCA: filepath.Join(dir, "no")},
	} {
		_, err := serverTLS(c, time.Now())
		require.ErrorIs(t, err, errTLS, name)
		require.NotContains(t, err.Error(), dir, name)
	}
}

func FuzzTokensFile(f *testing.F) {
	f.Add([]byte("bank: " + digestOf("x")))
	f.Add([]byte("a: &a {b: *a}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "tokens")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		a := &authenticator{tokens: map[[32]byte]string{}}
		if a.load(path) != nil {
			return
		}
		for _, party := range a.tokens {
			require.False(t, strings.HasPrefix(party, "@"))
		}
	})
}
