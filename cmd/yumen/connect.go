package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/gateway/client"
	"github.com/yumen-project/yumen/gateway/receipt"
	"github.com/yumen-project/yumen/gateway/server"
)

// connection is how a command reaches a running gateway. The defaults fit one on this machine.
type connection struct {
	address, dataDir, ca, tokenFile, output string
}

func (n *connection) flags(c *cobra.Command, party string) {
	f := c.Flags()
	f.StringVar(&n.address, "address", "127.0.0.1:7443", "gateway, host:port")
	f.StringVar(&n.dataDir, "data-dir", ".yumen", "data directory of a gateway on this machine, for its CA and token")
	f.StringVar(&n.ca, "ca", "", "CA of the gateway's certificate, PEM; that of data-dir where empty")
	f.StringVar(&n.tokenFile, "token-file", "", "bearer token; "+party+" of data-dir where empty")
	f.StringVarP(&n.output, "output", "o", "table", "table or json")
}

func (n *connection) dial(party string, trust *receipt.TrustSet) (*client.Client, error) {
	if n.output != "table" && n.output != "json" && n.output != "" {
		return nil, usageError{fmt.Errorf("output: want table or json")}
	}
	ca, token := n.ca, n.tokenFile
	if ca == "" {
		ca = filepath.Join(n.dataDir, "tls", "ca.pem")
	}
	if token == "" {
		token = server.TokenFile(n.dataDir, party)
	}
	roots, err := server.LoadCA(ca)
	if err != nil {
		return nil, usageError{err}
	}
	text, err := os.ReadFile(token)
	if err != nil {
		return nil, usageError{fmt.Errorf("token: file unreadable")}
	}
	return client.New(client.Options{
		Address: n.address, TLS: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots},
		Token: strings.TrimSpace(string(text)), Trust: trust,
	})
}

// list prints rows as a table, or v as JSON.
func (n *connection) list(w io.Writer, v any, header []string, rows [][]string) error {
	if n.output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		if _, err := fmt.Fprintln(t, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}
