package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/gateway/audit"
	"github.com/yumen-project/yumen/gateway/keyring"
)

func root() *cobra.Command {
	c := &cobra.Command{
		Use: "yumen-party", Short: "域门: the agent on a party's own machine",
		SilenceUsage: true, SilenceErrors: true, Args: noArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := c.ValidateRequiredFlags(); err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.AddCommand(initPartyCommand(), proposeCommand(), keygenCommand(), encryptCommand(), approveCommand(), serveCommand(), statusCommand(), witnessCommand())
	return c
}

func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return usageError{err}
	}
	return nil
}

// witnessFlags are where a witness keeps its key and its memory.
type witnessFlags struct{ key, state string }

func (f *witnessFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.key, "key", "", "the witness's own key, as made by init")
	c.Flags().StringVar(&f.state, "state", "", "what the witness remembers, as made by init; never restore an older copy")
	_ = c.MarkFlagRequired("key")
	_ = c.MarkFlagRequired("state")
}

func witnessCommand() *cobra.Command {
	var f witnessFlags
	var s service
	c := &cobra.Command{Use: "witness", Short: "sign checkpoints of logs that only grow", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			key, err := keyring.LoadSigner(f.key)
			if err != nil {
				return err
			}
			if key.Purpose() != keyring.Witness {
				return usageError{errors.New("key: not made for a witness")}
			}
			logs, err := readLogs(s.trust)
			if err != nil {
				return err
			}
			w, err := audit.OpenWitness(audit.WitnessOptions{
				File: f.state, Name: s.name, Signer: signer{key}, Logs: logs, Clock: time.Now,
			})
			if err != nil {
				return err
			}
			return errors.Join(s.run(c.Context(), w, c.OutOrStdout()), w.Close())
		}}
	f.add(c)
	fl := c.Flags()
	fl.StringVar(&s.listen, "listen", "127.0.0.1:7444", "address to serve on")
	fl.StringVar(&s.trust, "trust", "", "directory of the trust files of the logs to watch")
	fl.StringVar(&s.name, "name", "witness", "name of the key in signature lines")
	fl.StringVar(&s.cert, "tls-cert", "", "server certificate, PEM; without it plain HTTP, for what is said is signed and public")
	fl.StringVar(&s.certKey, "tls-key", "", "server key, PEM")
	_ = c.MarkFlagRequired("trust")
	c.AddCommand(initCommand())
	return c
}

func initCommand() *cobra.Command {
	var f witnessFlags
	c := &cobra.Command{Use: "init", Short: "make the key and the empty memory of a new witness, and print the public key", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			key, err := keyring.GenerateSigner(keyring.Witness, rand.Reader)
			if err != nil {
				return err
			}
			if err := keyring.SaveSigner(f.key, key); err != nil {
				return err
			}
			if err := audit.InitWitness(f.state); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), key.Public())
			return err
		}}
	f.add(c)
	return c
}

// signer fits a key to the witness.
type signer struct{ keyring.SignerKey }

func (s signer) KeyID() [32]byte { return s.Public().ID() }
