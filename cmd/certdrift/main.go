// Command certdrift reports whether the certificate that clients really get is the one they were meant to get: at every
// address of every endpoint, on a laptop or in a pipeline. See package cli.
package main

import (
	"os"

	"certdrift/internal/cli"
)

func main() { os.Exit(cli.Main()) }
