package scenario

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/server"
)

var errCertificate = errors.New("scenario: certificate or key unusable")

// ClientTLS makes a certificate of a party under the gateway's development CA.
// The gateway must have started once.
func (w *World) ClientTLS(party string) (*tls.Config, error) {
	cert, key, err := server.IssueDevelopmentClient(w.gateway, party, time.Now())
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, errCertificate
	}
	roots, err := server.LoadCA(filepath.Join(w.gateway, "tls", "ca.pem"))
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: []tls.Certificate{pair}}, nil
}

// BareTLS is the TLS configuration of a server beside the gateway: the same
// certificate, and client certificates demanded of the same CA.
func BareTLS(gatewayDir string) (*tls.Config, error) {
	dir := filepath.Join(gatewayDir, "tls")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		return nil, errCertificate
	}
	roots, err := server.LoadCA(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair},
		ClientCAs: roots, ClientAuth: tls.VerifyClientCertIfGiven,
	}, nil
}

// Clients makes n clients of the gateway, one connection each.
func Clients(address string, c *tls.Config, n int) ([]*client.Client, error) {
	var out []*client.Client
	for range n {
		one, err := client.New(client.Options{Address: address, TLS: c})
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// Connections makes n connections to the bare server.
func Connections(address string, c *tls.Config, n int) ([]*grpc.ClientConn, error) {
	var out []*grpc.ClientConn
	for range n {
		one, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(c)))
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		out = append(out, one)
	}
	return out, nil
}
