// Command manpages writes certdrift's manual pages and shell completions, made from the commands themselves. `make man` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra/doc"

	"certdrift/internal/cli"
)

func main() {
	to := flag.String("to", "dist", "`DIRECTORY` to write man1/ and completions/ to")
	date := flag.String("date", "1970-01-01", "`DATE` on the pages, such as 2026-11-30: never today's, so that the same source gives the same pages")
	flag.Parse()
	if err := write(*to, *date); err != nil {
		fmt.Fprintln(os.Stderr, "manpages:", err)
		os.Exit(1)
	}
}

func write(to, date string) error {
	pages, completions := filepath.Join(to, "man1"), filepath.Join(to, "completions")
	at, err := time.Parse(time.DateOnly, date)
	if err := errors.Join(err, os.MkdirAll(pages, 0o750), os.MkdirAll(completions, 0o750)); err != nil {
		return err
	}
	root := (&cli.App{Getenv: os.Getenv, Parts: cli.Product()}).Root()
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "1", Source: "certdrift", Manual: "certdrift", Date: &at}
	return errors.Join(
		doc.GenManTree(root, header, pages),
		root.GenBashCompletionFileV2(filepath.Join(completions, "certdrift.bash"), true),
		root.GenZshCompletionFile(filepath.Join(completions, "_certdrift")),
		root.GenFishCompletionFile(filepath.Join(completions, "certdrift.fish"), true),
		root.GenPowerShellCompletionFileWithDesc(filepath.Join(completions, "certdrift.ps1")),
	)
}
