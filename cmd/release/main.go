// Command release writes the templates of a release, which deploys without a clone: the function packages and the nested templates are
// read from the bucket that holds the release, and YAML aliases, which CloudFormation does not accept, are expanded, also in the nested
// templates, which are written beside it.
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
	template, err := read(from)
	if err != nil {
		return err
	}
	for _, nested := range nestedTemplates(template) {
		expanded, err := read(filepath.Join(filepath.Dir(from), nested))
		if err != nil {
			return err
		}
		if err := encode(expanded, filepath.Join(filepath.Dir(to), nested)); err != nil {
			return err
		}
	}
	if err := r.rewrite(template); err != nil {
		return fmt.Errorf("rewriting %q: %w", from, err)
	}
	return encode(template, to)
}

func read(file string) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	template, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("parsing %q: %w", file, err)
	}
	return template, nil
}

// nestedTemplates are the files of the nested templates, which keep their names: JSON is YAML.
func nestedTemplates(template map[string]any) (files []string) {
	resources, _ := template["Resources"].(map[string]any)
	for id := range resources {
		if properties, err := section(resources, id, "Properties"); err == nil {
			if file, ok := properties["TemplateURL"].(string); ok {
				files = append(files, file)
			}
		}
	}
	return files
}

func encode(template map[string]any, file string) error {
	out, err := json.MarshalIndent(template, "", " ")
	if err != nil {
		return fmt.Errorf("encoding the template: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // a release is public
		return fmt.Errorf("making the folder of the template: %w", err)
	}
	if err := os.WriteFile(file, append(out, '\n'), 0o644); err != nil { //nolint:gosec // a release is public
		return fmt.Errorf("writing the template: %w", err)
	}
	return nil
}
