package cli

import (
	"context"
	"io"
	"log"
	"os"
	"time"

	"golang.org/x/term"
)

// Main runs the command line of this process and gives its exit status.
func Main() int {
	log.SetOutput(io.Discard) // net/http writes there what a server does wrong; the report says it
	app := &App{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())), StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Getenv: os.Getenv, Now: time.Now, Parts: Product(),
	}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && app.StdoutTerminal {
		app.Columns = width
	}
	return app.Run(context.Background(), os.Args[1:])
}
