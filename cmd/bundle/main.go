// Command bundle puts a configuration into a function's package, as certdrift.yaml, with the files that it names beside it:
// CAs, client certificates, manifests. It refuses a configuration with faults, and one whose files a package cannot hold,
// so that `sam build` tells of them and no deployed function has to.
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
