package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
	"github.com/yumen-project/yumen/gateway/server"
)

func applyCommand() *cobra.Command {
	var n connection
	var file, approvals string
	c := &cobra.Command{Use: "apply -f DOMAIN.yaml", Short: "put a domain file and its approvals in force", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			domain, err := os.ReadFile(file)
			if err != nil {
				return usageError{fmt.Errorf("domain file unreadable")}
			}
			if approvals == "" {
				approvals = server.ApprovalsBeside(file)
			}
			signed, err := server.ReadOptional(approvals)
			if err != nil {
				return usageError{err}
			}
			g, err := n.dial("admin", nil)
			if err != nil {
				return err
			}
			defer g.Close()
			out, err := g.Governance.Apply(c.Context(), &apiv1.ApplyRequest{Domain: domain, Approvals: signed})
			if err != nil {
				return err
			}
			rows := [][]string{{"domain", "epoch " + strconv.FormatUint(out.GetEpoch(), 10), "in force", out.GetPolicyHash()}}
			for _, r := range out.GetFindings() {
				state := "registered"
				if !r.GetRegistered() {
					state = "refused: " + r.GetRefusal().GetRule()
				} else if rule := r.GetRefusal().GetRule(); rule != "" {
					state = "warning: " + rule
				}
				rows = append(rows, []string{"registration", r.GetDataset() + " " + r.GetVersion(), state, strings.Join(r.GetTemplates(), " ")})
			}
			for _, line := range out.GetInactive() {
				rows = append(rows, []string{"scenario", "inactive", "refused", line})
			}
			return n.list(c.OutOrStdout(), out, []string{"WHAT", "WHICH", "STATE", "DETAIL"}, rows)
		}}
	c.Flags().StringVarP(&file, "file", "f", "", "domain file")
	c.Flags().StringVar(&approvals, "approvals", "", "approvals file; DOMAIN.approvals.yaml where empty")
	_ = c.MarkFlagRequired("file")
	n.flags(c, "that of the administrator")
	return c
}

func approveCommand() *cobra.Command {
	var file, out string
	var a server.Approval
	c := &cobra.Command{Use: "approve -f DOMAIN.yaml --id SCENARIO --party PARTY --role authority|provider --key FILE",
		Short: "sign a scenario or the settings of a domain file, as authority or as provider", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if a.ID == "" && a.Object != "settings" {
				return usageError{fmt.Errorf("approve: want --id for a scenario or party-key")}
			}
			if a.ID == "" {
				a.ID = a.Object
			}
			domain, err := os.ReadFile(file)
			if err != nil {
				return usageError{fmt.Errorf("domain file unreadable")}
			}
			if out == "" {
				out = server.ApprovalsBeside(file)
			}
			before, err := server.ReadOptional(out)
			if err != nil {
				return usageError{err}
			}
			signed, err := server.Approve(domain, before, a)
			if err != nil {
				return err
			}
			if err := os.WriteFile(out, signed, 0o600); err != nil {
				return fmt.Errorf("approvals file not writable")
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s %s approved by %s as %s\n", a.Object, a.ID, a.Party, a.Role)
			return err
		}}
	f := c.Flags()
	f.StringVarP(&file, "file", "f", "", "domain file")
	f.StringVar(&out, "out", "", "approvals file to add to; DOMAIN.approvals.yaml where empty")
	f.StringVar(&a.Object, "object", "scenario", "scenario, settings where loosened, or party-key to accept a new key or authority")
	f.StringVar(&a.ID, "id", "", "id of the object; not needed for settings")
	f.StringVar(&a.Party, "party", "", "who signs")
	f.StringVar(&a.Role, "role", "", "authority, provider or holder")
	f.StringVar(&a.KeyFile, "key", "", "approval key, as made by yumen keygen")
	for _, name := range []string{"file", "party", "role", "key"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

func keygenCommand() *cobra.Command {
	var purpose string
	c := &cobra.Command{Use: "keygen FILE", Short: "make a signing key and print its public half",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("keygen: want one file name")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			public, err := server.GenerateKey(args[0], purpose)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), public)
			return err
		}}
	c.Flags().StringVar(&purpose, "purpose", server.ApprovalKey, "approval, for a domain file; checkpoint, for a gateway in production")
	return c
}

// keysCommand brings keys made elsewhere into a gateway: production makes none of its own.
func keysCommand() *cobra.Command {
	var files server.KeyFiles
	c := &cobra.Command{Use: "keys", Short: "keys of a gateway"}
	add := &cobra.Command{Use: "import", Short: "import the keys a gateway in production needs before its first start", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := loadConfig(c.Flags())
			if err != nil {
				return err
			}
			if err := server.ImportKeys(config, files); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "keys imported")
			return err
		}}
	configFlags(add.Flags())
	f := add.Flags()
	f.StringVar(&files.Checkpoint, "checkpoint-key", "", "signing key made by yumen keygen --purpose checkpoint")
	f.StringVar(&files.Seal, "seal-key", "", "file of 16 random bytes: seals stored results (SM4)")
	f.StringVar(&files.Subject, "subject-key", "", "file of 32 random bytes: pseudonyms of subjects (HMAC-SM3)")
	for _, name := range []string{"checkpoint-key", "seal-key", "subject-key"} {
		_ = add.MarkFlagRequired(name)
	}
	c.AddCommand(add)
	return c
}

// suspendCommand takes its target as KIND/ID, or as an id of a party.
func suspendCommand(resume bool) *cobra.Command {
	var n connection
	var reason string
	name, short := "suspend", "stop a party, agreement, scenario or dataset from the next request on"
	if resume {
		name, short = "resume", "lift a suspension"
	}
	c := &cobra.Command{Use: name + " KIND/ID --reason TEXT", Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || strings.Count(args[0], "/") != 1 {
				return usageError{fmt.Errorf("%s: want KIND/ID, with KIND party, agreement, scenario or dataset", name)}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			kind, id, _ := strings.Cut(args[0], "/")
			g, err := n.dial("admin", nil)
			if err != nil {
				return err
			}
			defer g.Close()
			call := g.Governance.Suspend
			if resume {
				call = g.Governance.Resume
			}
			out, err := call(c.Context(), &apiv1.SuspendRequest{Kind: kind, Id: id, Reason: reason})
			if err != nil {
				return err
			}
			return n.list(c.OutOrStdout(), out, []string{"TARGET", "EPOCH", "LOG ENTRY"},
				[][]string{{args[0], strconv.FormatUint(out.GetEpoch(), 10), strconv.FormatUint(out.GetEntry(), 10)}})
		}}
	c.Flags().StringVar(&reason, "reason", "", "why; goes into the log")
	_ = c.MarkFlagRequired("reason")
	n.flags(c, "that of the administrator")
	return c
}

func catalogueCommand() *cobra.Command {
	var n connection
	var party string
	c := &cobra.Command{Use: "catalogue", Short: "list datasets and what may be asked of them; never a row", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g, err := n.dial(party, nil)
			if err != nil {
				return err
			}
			defer g.Close()
			out, err := g.Governance.Catalogue(c.Context(), &apiv1.CatalogueRequest{})
			if err != nil {
				return err
			}
			var rows [][]string
			for _, d := range out.GetDatasets() {
				rows = append(rows, []string{"dataset", d.GetId(), d.GetProvider(), d.GetVersion() + " as of " + d.GetAsOf()})
			}
			for _, i := range out.GetItems() {
				rows = append(rows, []string{i.GetKind(), i.GetId(), i.GetDataset(), strings.Join(i.GetScenarios(), " ")})
			}
			return n.list(c.OutOrStdout(), out, []string{"KIND", "ID", "OF", "DETAIL"}, rows)
		}}
	c.Flags().StringVar(&party, "party", "admin", "whose token of data-dir to use")
	n.flags(c, "that of --party")
	return c
}
