// Command bundle puts a configuration into a function's package, as certdrift.yaml, with the files that it names beside it:
// CAs, client certificates, manifests. It rejects a configuration with errors, and one whose files a package cannot hold,
// so that they fail `sam build` and not a deployed function.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	config := flag.String("c", "certdrift.yaml", "the configuration `FILE`")
	to := flag.String("to", ".", "the package's `DIR`")
	flag.Parse()
	if err := bundle(*config, *to); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
