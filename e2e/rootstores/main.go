// Command rootstores writes internal/clients/roots.txt: which roots the stores of client families hold, as far as packages of public
// registries have them. It needs pip, npx, and apt-get of Debian.
package main

import (
	"context"
	"crypto/x509"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

func main() {
	out := flag.String("o", "internal/clients/roots.txt", "the `file` to write")
	flag.Parse()
	if err := write(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, "rootstores:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, out string) error {
	dir, err := os.MkdirTemp("", "rootstores")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	stores, err := collect(ctx, dir)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, []byte(document(stores, time.Now().UTC())), 0o644); err != nil { // a file of the repository
		return fmt.Errorf("writing %q: %w", out, err)
	}
	return nil
}

// store is the roots of one family. A root that only some of its sources have, or that is there for another purpose, is in doubt: it
// is neither said to be trusted nor not.
type store struct {
	letter             byte
	name, date, source string
	roots, doubtful    map[root]bool
}

// root identifies a root as clients do: by name and key. Stores may hold different certificates of one.
type root struct{ subject, key, name string }

func identify(cert *x509.Certificate) root {
	name := cert.Subject.CommonName
	for _, other := range [][]string{cert.Subject.OrganizationalUnit, cert.Subject.Organization} {
		if name == "" && len(other) > 0 {
			name = other[0]
		}
	}
	return root{clients.SubjectHash(cert.RawSubject), clients.KeyHash(cert.RawSubject, cert.RawSubjectPublicKeyInfo), finding.Clean(name, 60)}
}

// roots returns the roots among certificates that have not expired.
func roots(ders [][]byte, now time.Time) map[root]bool {
	out := map[root]bool{}
	for _, der := range ders {
		if cert, err := x509.ParseCertificate(der); err == nil && now.Before(cert.NotAfter) && string(cert.RawSubject) == string(cert.RawIssuer) {
			out[identify(cert)] = true
		}
	}
	return out
}

func document(stores []store, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Roots that clients trust for servers, by name and key. Made by `make roots` on %s.\n", now.Format(time.DateOnly))
	b.WriteString("# store LETTER DATE NAME: SOURCE\n# HASH-OF-NAME HASH-OF-NAME-AND-KEY STORES NAME; a store in lower case: in doubt\n")
	all := map[root]bool{}
	for _, s := range stores {
		fmt.Fprintf(&b, "store %c %s %s: %s\n", s.letter, s.date, s.name, s.source)
		maps.Copy(all, s.roots)
		maps.Copy(all, s.doubtful)
	}
	byKey := slices.SortedFunc(maps.Keys(all), func(a, b root) int { return strings.Compare(a.key, b.key) })
	for i, r := range byKey {
		if i > 0 && byKey[i-1].key == r.key {
			continue // the same under another spelling
		}
		var in []byte
		for _, s := range stores {
			switch {
			case s.roots[r]:
				in = append(in, s.letter)
			case s.doubtful[r]:
				in = append(in, s.letter-'A'+'a')
			}
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", r.subject, r.key, in, r.name)
	}
	return b.String()
}
