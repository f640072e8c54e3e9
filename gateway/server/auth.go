package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/yumen-project/yumen/gateway/job"
	"github.com/yumen-project/yumen/gateway/job/spec"
)

// authenticator knows parties by client certificate or bearer token. Tokens are kept as digests.
type authenticator struct {
	mu     sync.RWMutex
	tokens map[[32]byte]string
}

const (
	tokenBytes = 32
	adminToken = "admin" // names the file of the administration token
)

var errTokens = errors.New("tokens: file unusable")

// newAuthenticator loads tokens.file. The administration token, which stands for the machine's own
// operator, is made on first start and lies beside the keys.
func newAuthenticator(c *Config) (*authenticator, error) {
	a := &authenticator{tokens: map[[32]byte]string{}}
	if c.TokensFile != "" {
		if err := a.load(c.TokensFile); err != nil {
			return nil, err
		}
	}
	if c.Mode != "production" {
		if err := a.known(c); err != nil {
			return nil, err
		}
	}
	return a, a.ensure(c, adminToken, job.Local)
}

// known takes up the development tokens of earlier starts, so that a sealed gateway knows its auditors.
func (a *authenticator) known(c *Config) error {
	names, err := filepath.Glob(TokenFile(c.DataDir, "*"))
	if err != nil {
		return errTokens
	}
	for _, name := range names {
		if party := strings.TrimSuffix(filepath.Base(name), ".token"); party != adminToken {
			if err := a.ensure(c, party, party); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *authenticator) load(path string) error {
	text, err := os.ReadFile(path)
	if err != nil || len(text) > maxConfig {
		return errTokens
	}
	var digests map[string]string
	if err := yaml.Unmarshal(text, &digests); err != nil {
		return errTokens
	}
	for party, digest := range digests {
		sum, err := hex.DecodeString(digest)
		if err != nil || len(sum) != sha256.Size || strings.HasPrefix(party, "@") {
			return errTokens
		}
		a.tokens[[32]byte(sum)] = party
	}
	return nil
}

// TokenFile is where the self-made token of a party lies.
func TokenFile(dataDir, name string) string {
	return filepath.Join(dataDir, "tokens", filepath.Base(name)+".token")
}

// ensure makes a token for party unless there is one, and knows it from now on.
func (a *authenticator) ensure(c *Config, name, party string) error {
	path := TokenFile(c.DataDir, name)
	token, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		token, err = makeToken(path)
	}
	text := strings.TrimSpace(string(token))
	if err != nil || len(text) < base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return errTokens // also a file that a crash left empty: the empty token is nobody's
	}
	a.mu.Lock()
	a.tokens[sha256.Sum256([]byte(text))] = party
	a.mu.Unlock()
	return nil
}

func makeToken(path string) ([]byte, error) {
	raw := make([]byte, tokenBytes)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	token := []byte(base64.RawURLEncoding.EncodeToString(raw))
	return token, os.WriteFile(path, append(token, '\n'), 0o600)
}

func (a *authenticator) byToken(header string) string {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || len(token) > 256 {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.tokens[sum]
}

// byCertificate reads the party from the URI of a verified client certificate.
func byCertificate(chains [][]*x509.Certificate) string {
	if len(chains) == 0 || len(chains[0]) == 0 {
		return ""
	}
	for _, u := range chains[0][0].URIs {
		if id, ok := strings.CutPrefix(u.Opaque, "party:"); ok && u.Scheme == partyScheme && !strings.HasPrefix(id, "@") {
			return id
		}
	}
	return ""
}

func (a *authenticator) party(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			if party := byCertificate(info.State.VerifiedChains); party != "" {
				return party
			}
		}
	}
	for _, header := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		if party := a.byToken(header); party != "" {
			return party
		}
	}
	return ""
}

// errAnonymous is what an unknown caller gets.
var errAnonymous = status.Error(codes.Unauthenticated, "present a client certificate or a bearer token")

// healthService answers without a party, as load balancers have none.
const healthService = "/grpc.health.v1.Health/"

// tap marks each call with its party, from its headers alone: a stranger's message is never read.
func (a *authenticator) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	if strings.HasPrefix(info.FullMethodName, healthService) {
		return ctx, nil
	}
	party := a.party(ctx)
	if party == "" {
		return nil, errAnonymous
	}
	return spec.WithParty(ctx, party), nil
}

// http does the same for REST.
func (a *authenticator) http(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		party := ""
		if req.TLS != nil {
			party = byCertificate(req.TLS.VerifiedChains)
		}
		if party == "" {
			party = a.byToken(req.Header.Get("Authorization"))
		}
		if party != "" {
			req = req.WithContext(spec.WithParty(req.Context(), party))
		}
		next.ServeHTTP(w, req)
	})
}
