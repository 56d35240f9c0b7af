package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"certdrift/internal/config"
	"certdrift/internal/manifest"
	"certdrift/internal/observation"
)

// bundle copies a configuration and what it names into the folder of a package. With any fault nothing is copied.
func bundle(file, to string) error {
	dir := filepath.Dir(file)
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	var names []string
	cfg, faults := config.Load(data, config.Options{File: file, ReadFile: func(name string) ([]byte, error) {
		names = append(names, name)
		return os.ReadFile(resolve(dir, name))
	}})
	errs := asErrors(faults)
	for _, path := range cfg.Manifests {
		found, err := manifests(dir, path)
		if names = append(names, found...); err != nil {
			errs = append(errs, fmt.Errorf("%s: looking for the manifests %q: %w", file, path, err))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		if !filepath.IsLocal(name) {
			errs = append(errs, fmt.Errorf("%s: names %q, which is outside the configuration's folder and cannot be packaged; put it next to the configuration, or in S3", file, name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, name := range names {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return write(filepath.Join(to, "certdrift.yaml"), data)
}

func resolve(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// asErrors returns the diagnostics in the format of compilers.
func asErrors(faults []observation.Diagnostic) []error {
	var errs []error
	for _, f := range faults {
		text := fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
		if f.Hint != "" {
			text += "\n  hint: " + f.Hint
		}
		errs = append(errs, errors.New(text))
	}
	return errs
}

// manifests returns the files behind one of the configuration's paths; none if it is in S3.
func manifests(dir, path string) ([]string, error) {
	switch {
	case strings.Contains(path, "://"):
		return nil, nil
	case !filepath.IsLocal(path):
		return []string{path}, nil
	}
	names, err := manifest.Names(path, manifest.Options{Dir: dir})
	if err == nil && len(names) == 0 {
		err = errors.New("there is no *.yaml, *.yml or *.json")
	}
	return names, err
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading what the configuration names: %w", err)
	}
	return write(to, data)
}

// write writes a file that Lambda's user may read, whatever this machine's umask or the original's permissions are.
func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // Lambda's user needs access
		return fmt.Errorf("writing the package: %w", err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil { //nolint:gosec // local paths only; where to is the caller's to say
		return fmt.Errorf("writing the package: %w", err)
	}
	return os.Chmod(name, 0o644) //nolint:gosec // Lambda's user must read it
}
