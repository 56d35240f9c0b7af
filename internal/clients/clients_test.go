package clients_test

import (
	"crypto/x509"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"certdrift/internal/clients"
	"certdrift/internal/finding"
)

var update = flag.Bool("update", false, "rewrite docs/clients.md")

// TestEveryProblemHasARow: each constant is in the table, with what every family does.
func TestEveryProblemHasARow(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "problems.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if id, ok := spec.Type.(*ast.Ident); ok && id.Name == "Problem" {
				declared += len(spec.Names)
			}
		}
		return true
	})
	if all := clients.Problems(); len(all) != declared || declared < 60 {
		t.Errorf("%d problems in the table, %d declared", len(all), declared)
	}
	for p := range clients.Problems() {
		c := clients.Of(p)
		if n := len(c.RefusedBy) + len(c.AcceptedBy) + len(c.NotKnown); n != len(clients.Families()) {
			t.Errorf("%s: %d families", p, n)
		}
		for _, name := range slices.Concat(c.RefusedBy, c.AcceptedBy, c.NotKnown) {
			if clients.Family(name) == "" {
				t.Errorf("%s: %q is of no family", p, name)
			}
		}
	}
}

func TestText(t *testing.T) {
	for want, c := range map[string]finding.Clients{
		"":                                   {},
		"Refused by: all clients":            clients.Of(clients.Expired),
		"Refused by: none yet":               clients.Of(clients.Expiring),
		"Refused by: Go. Accepted by: Java":  {RefusedBy: []string{"Go"}, AcceptedBy: []string{"Java"}},
		"Refused by: Go. Not known: Windows": {RefusedBy: []string{"Go"}, NotKnown: []string{"Windows"}},
	} {
		if got := clients.Text(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestMerge(t *testing.T) {
	got := clients.Merge(clients.Of(clients.GroupP521), clients.Of(clients.SuiteRSA))
	if want := []string{"Chromium", "Python 3.10 and later", "Go", "rustls"}; !slices.Equal(got.RefusedBy, want) {
		t.Errorf("%q, want %q", got.RefusedBy, want)
	}
	if n := len(got.RefusedBy) + len(got.AcceptedBy) + len(got.NotKnown); n != len(clients.Families()) {
		t.Errorf("%d families: %+v", n, got)
	}
}

// embedded are Mozilla's roots.
func embedded(t *testing.T) []*x509.Certificate {
	t.Helper()
	var all []*x509.Certificate
	for r := range bundle.Roots() {
		cert, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cert)
	}
	return all
}

// TestStores: the table has the roots that certdrift embeds, and each store a date and a source.
func TestStores(t *testing.T) {
	stores := clients.Stores()
	if len(stores) < 9 {
		t.Fatalf("%d stores", len(stores))
	}
	for _, s := range stores {
		if _, err := time.Parse(time.DateOnly, s.Date); err != nil || s.Name == "" || s.Source == "" {
			t.Errorf("%+v: %v", s, err)
		}
		held := 0
		for _, cert := range embedded(t) {
			if s.Holds(cert) == clients.Held {
				held++
				if !s.Names(cert.RawSubject) {
					t.Errorf("%s holds %s and does not know the name", s.Name, cert.Subject)
				}
			} else if s.Name == "Firefox (NSS)" {
				t.Errorf("the table lacks %s, which certdrift embeds: run make roots", cert.Subject)
			}
			if cert.Subject.CommonName == "ISRG Root X1" && s.Holds(cert) != clients.Held {
				t.Errorf("%s lacks %s", s.Name, cert.Subject)
			}
		}
		if held < 30 {
			t.Errorf("%s: %d of Mozilla's roots", s.Name, held)
		}
	}
}

// TestDocument holds docs/clients.md to the tables.
func TestDocument(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "clients.md")
	got := document(t)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is out of date: run go test ./internal/clients -update", file)
	}
}

func document(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`# Clients

Which families of TLS clients refuse which problem, and which roots their stores hold. Findings take from here whom they name
([report](report.md)). Generated from ` + "`internal/clients`" + ` by ` + "`go test ./internal/clients -update`" + `.

## What they refuse

R: refuses. A dot: accepts. ?: not known; findings then say so. OpenSSL, curl, Python, Node, Go, Java, GnuTLS, Chromium,
Firefox (NSS) and rustls are run against live servers of each kind ([accuracy](accuracy.md)). Windows, Android and Apple can't be run there: what is given is from their vendors' documentation. The limits for the size of a chain are those of [` + "`cert-chain-oversized`" + `](findings.md#cert-chain-oversized).

`)
	fmt.Fprintf(&b, "| problem | %s |\n|%s\n", strings.Join(clients.Families(), " | "), strings.Repeat(" --- |", len(clients.Families())+1))
	for _, p := range slices.Sorted(maps.Keys(clients.Problems())) {
		c := clients.Of(p)
		fmt.Fprintf(&b, "| %s |", p)
		for _, family := range clients.Families() {
			is := func(name string) bool { return clients.Family(name) == family }
			switch i := slices.IndexFunc(c.RefusedBy, is); {
			case i >= 0 && c.RefusedBy[i] != family:
				fmt.Fprintf(&b, " R from %s |", strings.Fields(c.RefusedBy[i])[1])
			case i >= 0:
				b.WriteString(" R |")
			case slices.ContainsFunc(c.AcceptedBy, is):
				b.WriteString(" . |")
			default:
				b.WriteString(" ? |")
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(`
## Which roots they have

` + "`make roots`" + ` takes the stores from packages that public registries serve. They are as old as these: what a vendor has changed by an update since
is not in them, and findings name the date. Not to be had from a registry, and so not known: Oracle's Java, the constraints that Chromium and Apple put on
single roots, Windows' list of roots that are distrusted from a date on. A root that only one of two sources of a store has is in doubt.

"OpenJDK" stands for the images and packages that stopped at 17.0.2. Of the roots that certdrift embeds (Mozilla's), a store may lack some: a chain to
such a root is ` + "`cert-untrusted`" + `, a warning with these names.

| store | as of | from | roots of Mozilla's that it lacks |
| --- | --- | --- | --- |
`)
	for _, s := range clients.Stores() {
		var lacks []string
		for _, cert := range embedded(t) {
			if s.Holds(cert) != clients.Held {
				lacks = append(lacks, finding.Clean(rootName(cert), 80))
			}
		}
		slices.Sort(lacks)
		text := strings.Join(lacks, ", ")
		if len(lacks) > 40 {
			text = fmt.Sprintf("%d, all that were added later", len(lacks))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.Name, s.Date, s.Source, text)
	}
	return b.String()
}

func rootName(cert *x509.Certificate) string {
	if cert.Subject.CommonName != "" {
		return cert.Subject.CommonName
	}
	return cert.Subject.String()
}
