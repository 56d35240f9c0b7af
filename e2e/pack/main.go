// Command pack zips each given folder as FOLDER.zip, reproducibly, and prints the sizes. It exits with status 1 if one is above the
// limit.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	limit := flag.Int64("limit", 5<<20, "the largest zip allowed, in bytes")
	flag.Parse()
	tooLarge := false
	for _, dir := range flag.Args() {
		size, err := pack(dir, dir+".zip")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%-24s %5.2f MB\n", filepath.Base(dir)+".zip", float64(size)/(1<<20))
		tooLarge = tooLarge || size > *limit
	}
	if tooLarge {
		fmt.Fprintf(os.Stderr, "a package is above %.2f MB\n", float64(*limit)/(1<<20))
		os.Exit(1)
	}
}
