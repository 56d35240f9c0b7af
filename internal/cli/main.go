package cli

import (
	"context"
	"io"
	"log"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/term"
)

// sparse is how much the heap may grow before garbage is collected, in percent of what is live: a round makes several times as much garbage
// as it keeps. More would save little processor time, and a check of many endpoints that all hang would take too much memory.
const sparse = 200

// Main runs the command line of this process and gives its exit status.
func Main() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(sparse)
	}
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
