package chain_test

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"testing"

	"certdrift/internal/chain"
	"certdrift/internal/sim/pki"
)

// FuzzBuild cuts its input into certificates, each with a length of two bytes before it; the last is trusted, some before
// it count as fetched. The walk always ends soon and has the same result twice, and each of its paths is linked by names and
// ends where it says.
func FuzzBuild(f *testing.F) {
	must := ok(f)
	root := must(pki.Root("Root", now))
	inter := must(root.Intermediate("Inter", now, func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.org"} }))
	leaf := must(inter.Leaf(now, []string{host, "127.0.0.1"}))
	for _, served := range [][]*x509.Certificate{certs(leaf, inter, root), certs(leaf, inter, inter, root), certs(leaf, inter), certs(leaf, root), certs(root, root)} {
		f.Add(pack(served), uint8(len(served)%3))
	}
	f.Fuzz(func(t *testing.T, data []byte, fetched uint8) {
		served := unpack(data)
		if len(served) < 2 {
			return
		}
		store := trusting(served[len(served)-1])
		served = served[:len(served)-1]
		cut := max(1, len(served)-int(fetched%4))
		q := chain.Query{Served: served[:cut], Fetched: served[cut:], At: now}
		r := chain.Build(store, q)
		if a, b := summary(r), summary(chain.Build(store, q)); a != b {
			t.Errorf("the same chain twice:\n%s\n%s", a, b)
		}
		for _, p := range append(r.Valid, r.Path) {
			for i, c := range p.Certificates[1:] {
				if !bytes.Equal(p.Certificates[i].RawIssuer, c.RawSubject) {
					t.Errorf("a path goes from %s to %s", p.Certificates[i].Issuer, c.Subject)
				}
			}
			if p.Anchor != nil && !bytes.Equal(p.Tip().Raw, p.Anchor.Certificate.Raw) {
				t.Error("a path does not end in its anchor")
			}
		}
		if (r.Verdict == chain.Trusted) != (r.Path.Anchor != nil && len(r.Path.Fetched) == 0) {
			t.Errorf("%s, but the path has the anchor %v", r.Verdict, r.Path.Anchor)
		}
	})
}

func summary(r *chain.Result) string {
	out := fmt.Sprint(r.Verdict, kinds(r.Leaf), kinds(r.Path.Problems), len(r.Valid), r.Limited)
	for _, c := range r.Path.Certificates {
		out += fmt.Sprintf(" %x", c.Signature[:min(8, len(c.Signature))])
	}
	return out
}

func pack(certs []*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(c.Raw))), c.Raw...)
	}
	return out
}

func unpack(data []byte) []*x509.Certificate {
	var out []*x509.Certificate
	for len(data) > 2 && len(out) < 64 {
		size := min(int(binary.BigEndian.Uint16(data)), len(data)-2)
		if cert, err := x509.ParseCertificate(data[2 : 2+size]); err == nil {
			out = append(out, cert)
		}
		data = data[2+size:]
	}
	return out
}
