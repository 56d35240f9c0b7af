// Command grafana reads a dashboard from standard input with Grafana's own types, which reject unknown and missing keys, of panels and
// queries too. It is a module of its own: those types take as long to compile as half of certdrift.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// classic is the format that every Grafana imports; its successor needs Grafana 13.
type classic = dashboard.Dashboard //nolint:staticcheck // see above

func main() {
	if err := run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "grafana:", err)
		os.Exit(1)
	}
}

func run(in io.Reader) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("reading the dashboard: %w", err)
	}
	plugins.RegisterDefaultPlugins()
	// A list of no errors is an error that says nothing, and ends the strict reading of a panel early.
	if err := (&classic{}).UnmarshalJSONStrict(text); err != nil && err.Error() != "" {
		return fmt.Errorf("reading the dashboard strictly: %w", err)
	}
	var d classic
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("reading the dashboard: %w", err)
	}
	if err := d.Validate(); err != nil {
		return fmt.Errorf("validating the dashboard: %w", err)
	}
	queries := 0
	for _, p := range d.Panels {
		if p.Panel == nil {
			continue // a row
		}
		for _, target := range p.Panel.Targets {
			if _, ok := target.(*prometheus.Dataquery); !ok {
				return fmt.Errorf("the panel %q asks %T, not Prometheus", *p.Panel.Title, target)
			}
			queries++
		}
	}
	fmt.Println(queries)
	return nil
}
