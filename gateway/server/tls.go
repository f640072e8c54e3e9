package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// partyScheme is the URI of a client certificate's party: yumen:party:ID.
const partyScheme = "yumen"

var errTLS = errors.New("tls: certificate, key or CA unusable")

// serverTLS loads the configured certificate, or makes a development CA and a certificate under it.
func serverTLS(c *Config, now time.Time) (*tls.Config, error) {
	cert, key, ca := c.TLSCert, c.TLSKey, c.ClientCA
	if cert == "" {
		dir := filepath.Join(c.DataDir, "tls")
		if err := ensureDevelopmentCA(dir, now); err != nil {
			return nil, err
		}
		cert, key = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
		if ca == "" {
			ca = filepath.Join(dir, "ca.pem")
		}
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, errTLS
	}
	out := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}}
	if ca == "" {
		return out, nil
	}
	roots, err := LoadCA(ca)
	if err != nil {
		return nil, err
	}
	out.ClientCAs, out.ClientAuth = roots, tls.VerifyClientCertIfGiven
	return out, nil
}

// LoadCA reads a PEM file of certificates.
func LoadCA(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errTLS
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errTLS
	}
	return pool, nil
}

// ensureDevelopmentCA makes ca.pem, ca.key, server.pem and server.key in dir, files 0600, unless there.
func ensureDevelopmentCA(dir string, now time.Time) error {
	if _, err := os.Stat(filepath.Join(dir, "server.pem")); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errTLS
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return errTLS
	}
	ca := template("yumen development CA", now)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	if err := issue(dir, "ca", ca, ca, caKey, caKey); err != nil {
		return err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return errTLS
	}
	leaf := template("localhost", now)
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames, leaf.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return issue(dir, "server", leaf, ca, leafKey, caKey)
}

// IssueDevelopmentClient makes a client certificate of a party under the development CA of dataDir
// and writes name.pem and name.key beside it.
func IssueDevelopmentClient(dataDir, party string, now time.Time) (cert, key string, err error) {
	dir := filepath.Join(dataDir, "tls")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key"))
	if err != nil {
		return "", "", errTLS
	}
	caKey, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return "", "", errTLS
	}
	ca, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return "", "", errTLS
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", errTLS
	}
	leaf := template(party, now)
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	leaf.URIs = []*url.URL{{Scheme: partyScheme, Opaque: "party:" + party}}
	name := "client-" + filepath.Base(party)
	if err := issue(dir, name, leaf, ca, leafKey, caKey); err != nil {
		return "", "", err
	}
	return filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"), nil
}

func template(name string, now time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
	}
}

func issue(dir, name string, cert, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
	if err != nil {
		return errTLS
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return errTLS
	}
	return errors.Join(
		writePEM(filepath.Join(dir, name+".key"), "PRIVATE KEY", private),
		writePEM(filepath.Join(dir, name+".pem"), "CERTIFICATE", der))
}

func writePEM(path, kind string, der []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return errTLS
	}
	if err := errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Close()); err != nil {
		return errTLS
	}
	return nil
}
