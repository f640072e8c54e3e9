package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/server"
)

// fullWidth spells ASCII in its full-width form.
func fullWidth(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r > ' ' && r < 0x7f {
			out[i] = r + 0xFEE0
		}
	}
	return string(out)
}

func issueClient(t *testing.T, g *gateway, party string) (cert, key string) {
	t.Helper()
	cert, key, err := server.IssueDevelopmentClient(g.data(), party, time.Now())
	require.NoError(t, err)
	return cert, key
}

// withCertificate is a client of the party that shows a certificate, as in production.
func (g *gateway) withCertificate(party string) *client.Client {
	g.t.Helper()
	cert, key := issueClient(g.t, g, party)
	config := g.tls()
	config.Certificates = []tls.Certificate{loadPair(g.t, cert, key)}
	c, err := client.New(client.Options{Address: g.server.GRPCAddr(), TLS: config})
	require.NoError(g.t, err)
	g.t.Cleanup(func() { _ = c.Close() })
	return c
}

func loadPair(t *testing.T, cert, key string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	return pair
}

// selfMade is a client certificate that no CA has signed.
func selfMade(t *testing.T, party string, now time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs: []*url.URL{{Scheme: "yumen", Opaque: "party:" + party}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func nowMS() int64 { return time.Now().UnixMilli() }
