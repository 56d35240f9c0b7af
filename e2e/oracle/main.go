// Command oracle reads files as kubectl does, with the libraries that kubectl is made of, so that certdrift's reading can be compared
// with it. It is a module of its own: certdrift does not depend on Kubernetes.
//
// Standard input is a JSON array of files (base64). Standard output is an array of what kubectl would send to the cluster for each:
// the objects in order, and the error that ends them.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

type reading struct {
	Objects []map[string]any `json:"objects"`
	Error   string           `json:"error,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var files [][]byte
	if err := json.NewDecoder(in).Decode(&files); err != nil {
		return fmt.Errorf("decoding the files: %w", err)
	}
	readings := make([]reading, len(files))
	for i, file := range files {
		objects, err := read(file)
		if readings[i].Objects = objects; err != nil {
			readings[i].Error = err.Error()
		}
	}
	if err := json.NewEncoder(out).Encode(readings); err != nil {
		return fmt.Errorf("encoding the readings: %w", err)
	}
	return nil
}

// read is what k8s.io/cli-runtime's FileVisitor, StreamVisitor and FlattenListVisitor do (pkg/resource/visitor.go), without a cluster.
func read(file []byte) (objects []map[string]any, err error) {
	text := transform.NewReader(bytes.NewReader(file), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	documents := yaml.NewYAMLOrJSONDecoder(text, 4096)
	for {
		var document runtime.RawExtension
		if err := documents.Decode(&document); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return objects, fmt.Errorf("parsing: %w", err)
		}
		raw := bytes.TrimSpace(document.Raw)
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			continue
		}
		if objects, err = flatten(objects, raw); err != nil {
			return objects, err
		}
	}
}

// flatten adds the object, or the items of a list.
func flatten(objects []map[string]any, raw []byte) ([]map[string]any, error) {
	decoded, _, err := unstructured.UnstructuredJSONScheme.Decode(raw, nil, nil)
	if err != nil {
		return objects, fmt.Errorf("decoding: %w", err)
	}
	switch o := decoded.(type) {
	case *unstructured.UnstructuredList:
		for _, item := range o.Items {
			raw, err := json.Marshal(item.Object)
			if err != nil {
				return objects, fmt.Errorf("encoding an item: %w", err)
			}
			if objects, err = flatten(objects, raw); err != nil {
				return objects, err
			}
		}
	case *unstructured.Unstructured:
		objects = append(objects, o.Object)
	}
	return objects, nil
}
