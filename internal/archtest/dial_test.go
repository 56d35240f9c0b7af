package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"testing"
)

// contacts are the functions and types that open connections or query a resolver, by package. http.Server and net.Listen are not
// among them: they only accept connections.
var contacts = map[string][]string{
	"net": {
		"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "ListenPacket", "ListenUDP", "ListenIP",
		"Resolver", "DefaultResolver", "LookupHost", "LookupIP", "LookupAddr", "LookupCNAME", "LookupMX", "LookupNS", "LookupPort",
		"LookupSRV", "LookupTXT", "ResolveTCPAddr", "ResolveUDPAddr", "ResolveIPAddr",
	},
	"crypto/tls":    {"Dial", "DialWithDialer", "Dialer"},
	"net/http":      {"Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"},
	"net/textproto": {"Dial"},
	"net/rpc":       {"Dial", "DialHTTP", "DialHTTPPath"},
	"net/smtp":      {"Dial", "SendMail"},
	"syscall":       {"Connect", "Socket", "Sendto"},
}

// dialers are the packages that may use them, each with the reason. The AWS SDK opens its own connections; TestImports restricts its
// use.
var dialers = map[string]string{
	"internal/probe": "the prober: every dial goes through its address guard",
	"bench":          "the least that a client can be, of servers that it started on loopback, to compare certdrift with",
	"e2e/tlsclient":  "a client to compare certdrift with, of servers on loopback",
	"e2e/servers":    "the lab waits until the servers it started on loopback answer, and fills a backlog",
}

// dials returns the contacts that a file uses.
func dials(f *ast.File) []string {
	locals := map[string]string{}
	found := map[string]bool{}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil || contacts[p] == nil {
			continue
		}
		local := path.Base(p)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." {
			found[fmt.Sprintf("all of %s, by a dot import", p)] = true
		}
		locals[local] = p
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && slices.Contains(contacts[locals[id.Name]], sel.Sel.Name) {
				found[locals[id.Name]+"."+sel.Sel.Name] = true
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(found))
}

// TestOnlyProbeDials checks that all connections are opened by the prober, whose guard knows which addresses are allowed.
func TestOnlyProbeDials(t *testing.T) {
	dialed := map[string]bool{}
	for _, f := range parse(t) {
		if f.test {
			continue // tests connect to what they test, on loopback
		}
		used := dials(f.ast)
		dialed[f.dir] = dialed[f.dir] || len(used) > 0
		if dialers[f.dir] == "" && len(used) > 0 {
			t.Errorf("%s uses %v: internal/probe is the only one that dials", path.Join(f.dir, f.name), used)
		}
	}
	for dir := range dialers {
		if !dialed[dir] {
			t.Errorf("%s may dial and does not: take it out of dialers", dir)
		}
	}
}

func TestDials(t *testing.T) {
	for source, want := range map[string][]string{
		`import "net"; var _ = net.ParseIP`:                                     nil,
		`import "net"; var d net.Dialer`:                                        {"net.Dialer"},
		`import n "net"; func f() { n.Dial("tcp", "a:1") }`:                     {"net.Dial"},
		`import . "net"; var _ = IPv4len`:                                       {"all of net, by a dot import"},
		`import "crypto/tls"; var _, _ = tls.Client, tls.Dial`:                  {"crypto/tls.Dial"},
		`import "net/http"; var c = &http.Client{Transport: &http.Transport{}}`: {"net/http.Client", "net/http.Transport"},
		`import "net/http"; func f(c interface{ Get() }) { c.Get() }`:           nil,
		`import http "certdrift/internal/http"; var _ = http.Get`:               nil,
		`import "net"; var r = net.DefaultResolver`:                             {"net.DefaultResolver"},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := dials(f); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", source, got, want)
		}
	}
}
