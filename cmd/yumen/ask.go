package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/receipt"
)

// verifyCommand asks one question and checks its receipt before it prints the answer.
func verifyCommand() *cobra.Command {
	var n connection
	var party, out, trustDir string
	in := &apiv1.VerifyRequest{Subject: &apiv1.Subject{}}
	c := &cobra.Command{Use: "verify", Short: "ask one registered template about one subject", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if trustDir == "" {
				trustDir = filepath.Join(n.dataDir, "trust")
			}
			trust, err := receipt.LoadTrust(os.DirFS(trustDir))
			if err != nil {
				return usageError{errors.New("trust: directory unusable")}
			}
			g, err := n.dial(party, trust)
			if err != nil {
				return err
			}
			defer g.Close()
			answer, err := g.Verify(c.Context(), in)
			if err != nil {
				return err
			}
			if err := saveReceipt(out, answer.GetSerial(), answer.GetReceipt()); err != nil {
				return err
			}
			return n.list(c.OutOrStdout(), answer, []string{"ANSWER", "SERIAL", "AS OF", "SOURCE", "RECEIPT"}, [][]string{{
				answer.GetAnswer().String(), answer.GetSerial(), answer.GetDataAsOf(), answer.GetSourceDepartment(), "verified",
			}})
		}}
	f := c.Flags()
	f.StringVar(&party, "party", "", "whose token of data-dir to use")
	f.StringVar(&in.Scenario, "scenario", "", "scenario")
	f.StringVar(&in.Template, "template", "", "registered template")
	f.StringVar(&in.Subject.Number, "number", "", "resident number or credit code")
	f.StringVar(&in.Subject.Name, "name", "", "name, for identity match")
	f.StringVar(&in.Subject.Phone, "phone", "", "phone, for identity match")
	f.StringVar(&in.Consent, "consent", "", "id of the subject's consent")
	f.StringVar(&out, "out", "", "directory for receipts/ and results/; nothing is kept where empty")
	f.StringVar(&trustDir, "trust", "", "trust directory; that of data-dir where empty")
	n.flags(c, "that of --party")
	return c
}

// saveReceipt keeps receipt and result under one base name; the result is the requester's alone.
func saveReceipt(dir, name string, r *apiv1.Receipt) error {
	if dir == "" {
		return nil
	}
	for sub, data := range map[string][]byte{"receipts": r.GetReceipt(), "results": r.GetResult()} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return errors.New("output directory not writable")
		}
		if err := os.WriteFile(filepath.Join(dir, sub, filepath.Base(name)+".json"), data, 0o600); err != nil {
			return fmt.Errorf("%s not writable", sub)
		}
	}
	return nil
}
