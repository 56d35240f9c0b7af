// Command tally reads the output of `go test -json`, prints a line per package and the output of failed tests, and then the counts. It
// exits with status 1 if a test or a build failed, or if nothing ran.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	name := flag.String("name", "test", "what the counts are of")
	verbose := flag.Bool("v", false, "show every test's output as it comes")
	out := flag.String("o", "", "also write the last line to this file")
	flag.Parse()
	t := tally{w: os.Stdout, verbose: *verbose}
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	line := t.line(*name)
	fmt.Println(line)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(line+"\n"), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if !t.good() {
		os.Exit(1)
	}
}
