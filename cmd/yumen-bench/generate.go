package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/yumen-project/yumen/benchmarks/city"
)

func generateCommand() *cobra.Command {
	var p city.Params
	var format, out string
	c := &cobra.Command{Use: "generate --persons N --seed S --format parquet|csv --out DIR", Args: noArgs,
		Short: "write the registers of a synthetic city; the same seed gives the same bytes",
		RunE: func(c *cobra.Command, _ []string) error {
			if format != string(city.Parquet) && format != string(city.CSV) {
				return usageError{city.ErrFormat}
			}
			if out == "" {
				return usageError{errors.New("out: needed")}
			}
			town, err := city.New(p)
			if err != nil {
				return usageError{err}
			}
			began := time.Now()
			if err := town.Write(c.Context(), out, city.Format(format), progressOn(c.ErrOrStderr(), "registers")); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d persons in %.1f s\n", p.Persons, time.Since(began).Seconds())
			return err
		}}
	f := c.Flags()
	f.IntVar(&p.Persons, "persons", 1_000_000, "persons of the city")
	f.Uint64Var(&p.Seed, "seed", 1, "which city")
	f.Float64Var(&p.Dirt, "dirt", 0, "share of rows spelt in a form that is not canonical; 0 for the usual share, negative for none")
	f.Float64Var(&p.Invalid, "invalid", 0, "share of rows whose number is not valid")
	f.StringVar(&format, "format", string(city.Parquet), "parquet or csv")
	f.StringVar(&out, "out", "", "directory for the registers")
	return c
}
