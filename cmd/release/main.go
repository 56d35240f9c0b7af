// Command release writes the templates of a release, which deploys without a clone: the function packages and the nested templates are
// read from the bucket that holds the release, and YAML aliases, which CloudFormation does not accept, are expanded. With -roots it writes
// the root certificates for the container image.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	from := flag.String("template", "template.yaml", "the template `FILE` of the source tree")
	to := flag.String("o", "template.json", "the `FILE` to write; the nested templates go beside it")
	var r release
	flag.StringVar(&r.version, "version", "unknown", "the release's `VERSION`")
	flag.StringVar(&r.bucket, "bucket", "", "the default `BUCKET` of the release; with none, whoever deploys names it")
	store := flag.String("roots", "", "write Mozilla's roots to this `FILE`, and nothing else")
	flag.Parse()
	var err error
	if *store != "" {
		err = writeRoots(*store)
	} else {
		err = write(*from, *to, r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func writeRoots(to string) error {
	text, err := roots()
	if err != nil {
		return err
	}
	return save(to, text)
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
	out, err := encode(template)
	if err != nil {
		return err
	}
	if err := save(to, out); err != nil {
		return err
	}
	nested, err := filepath.Glob(filepath.Join(filepath.Dir(from), "infra", "*.yaml"))
	if err != nil {
		return fmt.Errorf("finding the nested templates: %w", err)
	}
	for _, file := range nested {
		if err := writeNested(file, filepath.Join(filepath.Dir(to), "infra", filepath.Base(file))); err != nil {
			return err
		}
	}
	return nil
}

// writeNested copies a nested template. One with aliases becomes JSON, which is YAML, too.
func writeNested(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading a nested template: %w", err)
	}
	r := reader{anchors: map[string]any{}}
	template, err := r.template(text)
	if err != nil {
		return fmt.Errorf("parsing %q: %w", from, err)
	}
	if len(r.anchors) > 0 {
		if text, err = encode(template); err != nil {
			return err
		}
	}
	return save(to, text)
}

func encode(template map[string]any) ([]byte, error) {
	out, err := json.MarshalIndent(template, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encoding a template: %w", err)
	}
	return append(out, '\n'), nil
}

func save(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // a release is public
		return fmt.Errorf("writing a template: %w", err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil { //nolint:gosec // a release is public
		return fmt.Errorf("writing a template: %w", err)
	}
	return nil
}
