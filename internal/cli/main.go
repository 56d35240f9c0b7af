package cli

import (
	"context"
	"os"
	"time"

	"golang.org/x/term"
)

// Main runs the command line of this process and gives its exit status.
func Main() int {
	app := &App{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())), StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Getenv: os.Getenv, Now: time.Now, Parts: Product(),
	}
	return app.Run(context.Background(), os.Args[1:])
}
