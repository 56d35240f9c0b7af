package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *App) schema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of certdrift.yaml",
		Example: `  certdrift schema > certdrift.schema.json`,
		Long: `Editors use it to complete and check certdrift.yaml if the file begins with
# yaml-language-server: $schema=./certdrift.schema.json`,
		Args: noArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			schema, err := a.Parts.Schema()
			if err != nil {
				return fmt.Errorf("making the schema: %w", err)
			}
			_, err = a.Stdout.Write(schema)
			return err
		},
	}
}
