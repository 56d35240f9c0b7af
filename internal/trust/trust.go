// Package trust provides the trust stores that chains are verified against: Mozilla's roots, embedded in the binary, and this
// machine's own.
//
// Mozilla's are the default, so that a verdict does not depend on what a laptop, a build image or a Lambda function happens to
// trust. They include Mozilla's own limits (issued after a distrust date) as constraints.
package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"certdrift/internal/chain"
)

// Mozilla returns the roots embedded in the binary. Each is parsed when a chain leads to it.
func Mozilla() *chain.Store {
	var anchors []chain.RawAnchor
	for root := range bundle.Roots() {
		anchors = append(anchors, chain.RawAnchor{DER: root.Certificate, Constraint: root.Constraint, Public: true, Dates: func(cert *x509.Certificate) (gone, last time.Time) {
			if root.Constraint != nil {
				last = distrustAfter(root.Constraint)
			}
			return removal(cert), last
		}})
	}
	return chain.NewLazyStore(anchors)
}

// Locations are where a system keeps its roots, in the order of OpenSSL and Go: the first readable file, and every file in the
// directories.
type Locations struct {
	Files []string
	Dirs  []string
}

// SystemLocations returns this system's: SSL_CERT_FILE and SSL_CERT_DIR (colon-separated) if set, otherwise the usual places of
// Linux distributions, the BSDs and macOS's export.
func SystemLocations() Locations {
	p := Locations{
		Files: []string{
			"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Gentoo
			"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL, Amazon Linux
			"/etc/ssl/ca-bundle.pem",                            // openSUSE
			"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS
			"/etc/ssl/cert.pem",                                 // Alpine, OpenBSD, macOS
			"/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD
		},
		Dirs: []string{"/etc/ssl/certs", "/etc/pki/tls/certs"},
	}
	file, dir := os.Getenv("SSL_CERT_FILE"), os.Getenv("SSL_CERT_DIR")
	if file != "" {
		p.Files = []string{file}
	}
	if dir != "" {
		p.Dirs = filepath.SplitList(dir)
	}
	return p
}

// Store reads the roots. Those that Mozilla trusts too count as public, the others as this machine's own CAs. It returns an
// error if no root could be read.
func (p Locations) Store() (*chain.Store, error) {
	found := bundles{seen: map[[sha256.Size]byte]bool{}, public: publicRoots()}
	for _, file := range p.Files {
		if found.add(file) {
			break
		}
	}
	for _, dir := range p.Dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if name := filepath.Join(dir, e.Name()); !e.IsDir() && !slices.Contains(p.Files, name) {
				found.add(name)
			}
		}
	}
	store := chain.NewLazyStore(found.anchors)
	if store.Len() == 0 {
		return nil, fmt.Errorf("reading the system's trust store: no root in %q: %w",
			strings.Join(slices.Concat(p.Files, p.Dirs), ", "), errors.Join(append(found.errs, errNoRoots)...))
	}
	return store, nil
}

// bundles are the roots of the files read so far, each once, and why others could not be read.
type bundles struct {
	anchors      []chain.RawAnchor
	errs         []error
	seen, public map[[sha256.Size]byte]bool // by fingerprint
}

// add adds a file's roots; false if it cannot be read.
func (b *bundles) add(file string) bool {
	data, err := readBounded(file)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			b.errs = append(b.errs, err)
		}
		return false
	}
	for _, der := range blocks(data) {
		sum := sha256.Sum256(der)
		if !b.seen[sum] {
			b.seen[sum] = true
			b.anchors = append(b.anchors, chain.RawAnchor{DER: der, Public: b.public[sum]})
		}
	}
	return true
}

var errNoRoots = errors.New("no certificate found")

// maxFile bounds a bundle in bytes: Debian's has 0.2 MB.
const maxFile = 16 << 20

func readBounded(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading roots: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("reading roots from %q: not a regular file", file)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("reading roots from %q: larger than %d bytes", file, maxFile)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading roots: %w", err)
	}
	return data, nil
}

// blocks returns the certificates of a PEM file, DER. OpenSSL's TRUSTED CERTIFICATE blocks contain more and are skipped.
func blocks(data []byte) [][]byte {
	var out [][]byte
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return out
		}
		if block.Type == "CERTIFICATE" {
			out = append(out, block.Bytes)
		}
	}
}

// Certificates parses a CA file: PEM, one certificate or more. Text between the blocks is ignored; a block that is not
// a certificate is an error, since a silently missing CA would show as an untrusted endpoint.
func Certificates(data []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for i, der := range blocks(data) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("parsing certificate %d: %w", i+1, err)
		}
		out = append(out, cert)
	}
	if len(out) == 0 {
		return nil, errors.New("parsing a CA file: no PEM block \"CERTIFICATE\" in it")
	}
	return out, nil
}

// publicRoots returns the fingerprints of Mozilla's roots.
func publicRoots() map[[sha256.Size]byte]bool {
	out := map[[sha256.Size]byte]bool{}
	for root := range bundle.Roots() {
		out[sha256.Sum256(root.Certificate)] = true
	}
	return out
}
