package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

// Product are the product's own parts.
func Product() Parts {
	stores := &trust.Stores{}
	return Parts{
		Load: loadFile,
		Parse: func(name string, yaml []byte) (config.Config, []observation.Diagnostic) {
			return parse(name, ".", yaml)
		},
		Schema:    schema.Schema,
		Manifests: boot.Manifests,
		Demo: func(ctx context.Context, out io.Writer, style report.Style) (Outcome, error) {
			acts, err := demo.Run(ctx, demo.Options{Start: time.Now().Add(-40 * 24 * time.Hour), Out: out, Style: style})
			if err != nil {
				return Outcome{}, err
			}
			last := demo.Worst(acts).Last
			return Outcome{Round: last.Round, Conclusion: last.Conclusion}, nil
		},
		Cloud:    deployed(),
		Roots:    stores.Get,
		Declared: boot.Declared, Inventory: boot.Inventory,
		Plan: func(ctx context.Context, plan Plan, offline bool) (Preview, error) {
			once := boot.Once{Stores: stores, Log: logTo(plan.Stderr)}
			planned, err := once.Plan(ctx, round.Request{Config: plan.Config, Diagnostics: plan.Diagnostics, Manifests: plan.Manifests, ObserveErrors: plan.ObserveErrors}, offline)
			return Preview{Outcome{Round: planned.Round, Conclusion: planned.Conclusion}, planned.Rows}, err
		},
		Round: func(ctx context.Context, plan Plan) (Outcome, error) {
			once := boot.Once{Stores: stores, Progress: plan.Progress, Log: logTo(plan.Stderr), Topic: plan.Topic, ChatTopic: plan.ChatTopic}
			res, err := once.Run(ctx, round.Request{Config: plan.Config, Diagnostics: plan.Diagnostics, Manifests: plan.Manifests, ObserveErrors: plan.ObserveErrors, Environments: plan.Environments})
			return Outcome{Round: res.Round, Conclusion: res.Conclusion}, err
		},
	}
}

// logTo writes warnings.
func logTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
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
		return nil, errors.New("it is larger than 16 MiB")
	}
	return data, nil
}
