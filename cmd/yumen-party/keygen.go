package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/cmd/yumen-party/agent"
	"github.com/yumen-project/yumen/compute/he/ceremony"
	"github.com/yumen-project/yumen/compute/he/threshold"
	"github.com/yumen-project/yumen/gateway/client/encrypted"
)

func proposeCommand() *cobra.Command {
	var n connection
	var t agent.Terms
	var use, until string
	c := &cobra.Command{Use: "propose", Short: "as the data authority, propose a key set; prints the ceremony's name", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			day, err := time.ParseInLocation(time.DateOnly, until, time.FixedZone("", 8*60*60))
			if err != nil {
				return usageError{errors.New("until: want YYYY-MM-DD")}
			}
			t.Expiry = day.AddDate(0, 0, 1).Unix()
			uses := map[string]ceremony.Use{"add": ceremony.UseAdd, "mul": ceremony.UseMul}
			if t.Use = uses[use]; t.Use == 0 {
				return usageError{errors.New("use: want add or mul")}
			}
			a, _, end, err := n.open(c)
			if err != nil {
				return err
			}
			id, err := a.Propose(c.Context(), t)
			if err == nil {
				_, err = fmt.Fprintln(c.OutOrStdout(), id)
			}
			return errors.Join(err, end())
		}}
	n.flags(c)
	f := c.Flags()
	f.StringVar(&use, "use", "add", "add: sums; mul: products across the two datasets")
	f.StringSliceVar(&t.Datasets, "dataset", nil, "dataset; two, rising, for mul")
	f.StringSliceVar(&t.Providers, "provider", nil, "provider of each dataset")
	f.StringSliceVar(&t.Holders, "holder", nil, "holders, in the order of the domain file")
	f.IntVar(&t.Threshold, "threshold", threshold.DefaultThreshold, "holders that open")
	f.Uint64Var(&t.Epoch, "epoch", 1, "epoch of the key set in the domain file")
	f.Uint64Var(&t.Cap, "scalars", threshold.DefaultCap, "scalars that may be opened in all")
	f.StringVar(&until, "until", "", "last day, YYYY-MM-DD")
	for _, name := range []string{"dataset", "provider", "holder", "until"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

func keygenCommand() *cobra.Command {
	var n connection
	var id string
	var prints []string
	var wait time.Duration
	c := &cobra.Command{Use: "keygen", Short: "take this holder's part in making a key set, to its end; prints the certificate's name", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			want, err := hex.DecodeString(id)
			if err != nil || len(want) != 32 && len(want) != 0 {
				return usageError{errors.New("ceremony: want 64 hexadecimal digits")}
			}
			a, parties, end, err := n.open(c)
			if err != nil {
				return err
			}
			if err := compare(parties, prints); err != nil {
				return errors.Join(err, end())
			}
			until := time.Now().Add(wait)
			err = rounds(c.Context(), a, func(s *agent.Status) (bool, error) {
				done, err := keygenDone(c, s, want)
				if err == nil && !done && time.Now().After(until) {
					err = errors.New("keygen: no end within the time; run it again, nothing is lost")
				}
				return done, err
			})
			return errors.Join(err, end())
		}}
	n.flags(c)
	f := c.Flags()
	f.StringVar(&id, "ceremony", "", "name of the ceremony, as propose printed it; empty: all there are")
	f.StringArrayVar(&prints, "fingerprint", nil, "PARTY=HEX: fingerprint of a party's agent or envelope key, as told by another way")
	f.DurationVar(&wait, "wait", time.Hour, "how long to wait for the other holders")
	return c
}

// keygenDone says whether the ceremony asked for, or all there are, have come to an end.
func keygenDone(c *cobra.Command, s *agent.Status, want []byte) (bool, error) {
	found := false
	for _, one := range s.Ceremonies {
		if len(want) > 0 && agent.Hash(want) != one.ID {
			continue
		}
		found = true
		switch one.Stage {
		case agent.Running:
			return false, nil
		case agent.Done:
			if _, err := fmt.Fprintln(c.OutOrStdout(), one.Cert); err != nil {
				return false, err
			}
		default:
			return true, fmt.Errorf("keygen: ceremony %s %s: %s", one.ID, one.Stage, one.Rule)
		}
	}
	return found, nil
}

// compare holds fingerprints told by another way against the trust file.
func compare(parties *encrypted.Parties, prints []string) error {
	for _, p := range prints {
		id, text, ok := strings.Cut(p, "=")
		sum, err := hex.DecodeString(text)
		if !ok || err != nil || len(sum) != 32 {
			return usageError{errors.New("fingerprint: want PARTY=64 hexadecimal digits")}
		}
		one := parties.Find(id)
		if one == nil || one.Agent.ID() != [32]byte(sum) && one.Envelope.ID() != [32]byte(sum) {
			return fmt.Errorf("fingerprint of %q is not that of the trust file: trust neither", id)
		}
	}
	return nil
}
