// Command release writes the template of a release, which deploys without a clone: the function packages and the nested templates are
// read from the bucket that holds the release, and YAML aliases, which CloudFormation does not accept, are expanded.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	from := flag.String("template", "template.yaml", "the template `FILE` of the source tree")
	to := flag.String("o", "template.json", "the `FILE` to write")
	var r release
	flag.StringVar(&r.version, "version", "unknown", "the release's `VERSION`")
	flag.StringVar(&r.bucket, "bucket", "", "the default `BUCKET` of the release; with none, whoever deploys names it")
	flag.Parse()
	if err := write(*from, *to, r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(from, to string, r release) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	template, err := parse(text)
	if err != nil {
		return fmt.Errorf("parsing %q: %w", from, err)
	}
	if err := r.rewrite(template); err != nil {
		return fmt.Errorf("rewriting %q: %w", from, err)
	}
	out, err := json.MarshalIndent(template, "", " ")
	if err != nil {
		return fmt.Errorf("encoding the template: %w", err)
	}
	if err := os.WriteFile(to, append(out, '\n'), 0o644); err != nil { //nolint:gosec // a release is public
		return fmt.Errorf("writing the template: %w", err)
	}
	return nil
}
