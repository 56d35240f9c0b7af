package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"certdrift/internal/boot"
	"certdrift/internal/config"
	"certdrift/internal/config/schema"
	"certdrift/internal/observation"
	"certdrift/internal/report"
	"certdrift/internal/round"
	"certdrift/internal/sim/demo"
	"certdrift/internal/trust"
)

// fileLimit bounds the configuration and each file that it names, in bytes.
const fileLimit = 16 << 20

// Product returns the product's own parts.
func Product() Parts {
	local := boot.Local{Stores: &trust.Stores{}}
	return Parts{
		Load: loadFile,
		Parse: func(name string, yaml []byte) (config.Config, []observation.Diagnostic) {
			return parse(name, ".", yaml)
		},
		Schema:    schema.Schema,
		Manifests: boot.Manifests,
		Demo: func(ctx context.Context, out io.Writer, style report.Style) (round.Result, error) {
			acts, err := demo.Run(ctx, demo.Options{Start: time.Now().Add(-40 * 24 * time.Hour), Out: out, Style: style})
			if err != nil {
				return round.Result{}, err
			}
			return demo.Worst(acts).Last, nil
		},
		Cloud:    deployed(),
		Roots:    local.Stores.Get,
		Declared: boot.Declared, Inventory: boot.Inventory,
		Plan: local.Plan, Round: local.Round,
	}
}

// loadFile reads a configuration file. Files that it names lie beside it.
func loadFile(path string) (config.Config, []observation.Diagnostic, error) {
	data, err := readFile(path)
	if err != nil {
		return config.Config{}, nil, err
	}
	cfg, faults := parse(path, filepath.Dir(path), data)
	return cfg, faults, nil
}

func parse(name, dir string, yaml []byte) (config.Config, []observation.Diagnostic) {
	return config.Load(yaml, config.Options{File: name, ReadFile: func(file string) ([]byte, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		return readFile(file)
	}})
}

var errTooLarge = errors.New("it is larger than 16 MiB")

// readFile is os.ReadFile with a bound.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, fileLimit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, err)
	}
	if len(data) > fileLimit {
		return nil, errTooLarge
	}
	return data, nil
}
