package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"certdrift/internal/cli"
)

// TestEveryCommandHasAPage: every command has a manual page with its examples, and completion for each shell knows the commands. Twice
// written, they are the same.
func TestEveryCommandHasAPage(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		if err := write(dir, "2026-11-30"); err != nil {
			t.Fatal(err)
		}
	}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(first, "man1", name))
		if again, _ := os.ReadFile(filepath.Join(second, "man1", name)); err != nil || string(again) != string(page) || !strings.Contains(string(page), ".SH SYNOPSIS") {
			t.Errorf("%s: %v, or it is another the second time", name, err)
		}
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				visit(sub)
			}
		}
	}
	visit((&cli.App{Getenv: os.Getenv, Parts: cli.Product()}).Root())
	for _, name := range []string{"certdrift.bash", "_certdrift", "certdrift.fish", "certdrift.ps1"} {
		if script, err := os.ReadFile(filepath.Join(first, "completions", name)); err != nil || !strings.Contains(string(script), "certdrift") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
