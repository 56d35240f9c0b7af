package fanout

import (
	"fmt"
	"testing"
	"time"

	"certdrift/internal/observation"
	"certdrift/internal/sim/pki"
	"certdrift/internal/target"
)

// observed are endpoints with a certificate each, of one issuer, at two addresses.
func observed(b *testing.B, n int) (endpoints []target.Endpoint, seen []observation.Endpoint) {
	b.Helper()
	now := time.Now()
	root, err := pki.Root("bench", now)
	if err != nil {
		b.Fatal(err)
	}
	issuer, err := root.Intermediate("bench issuer", now)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		host := fmt.Sprintf("e%d.example.org", i)
		e := target.Endpoint{Environment: "production", Name: fmt.Sprint("e", i), URL: "https://" + host + "/", Host: host, Kind: target.HTTPS, Port: 443}
		leaf, err := issuer.Leaf(now, []string{host})
		if err != nil {
			b.Fatal(err)
		}
		chain := [][]byte{leaf.Certificate.Raw, issuer.Certificate.Raw}
		address := func(ip string) observation.Address {
			return observation.Address{
				Address: ip, Started: now, Phases: observation.Phases{Connect: 1e6, TLS: 2e6, FirstByte: 3e6, Total: 7e6},
				TLS:  &observation.TLS{ServerName: host, Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Group: "X25519MLKEM768", ALPN: "h2", Chain: chain},
				HTTP: &observation.HTTP{Proto: "HTTP/2.0", Status: 200, Date: now, Headers: map[string]string{"Server": "nginx"}, Excerpt: "ok", Size: 2},
			}
		}
		endpoints = append(endpoints, e)
		seen = append(seen, observation.Endpoint{
			Target: e, Probed: true, DNS: observation.DNS{Addresses: []string{"192.0.2.1", "192.0.2.2"}},
			Addresses: []observation.Address{address("192.0.2.1:443"), address("192.0.2.2:443")},
		})
	}
	return endpoints, seen
}

// BenchmarkTask is what the way to a worker costs, for each endpoint.
func BenchmarkTask(b *testing.B) {
	const n = 1000
	endpoints, _ := observed(b, n)
	size := 0
	for b.Loop() {
		packed, err := packEndpoints(endpoints)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := unpackEndpoints(packed); err != nil {
			b.Fatal(err)
		}
		size = len(packed) / 3 * 4
	}
	report(b, n, size)
}

// BenchmarkReply is what the way back costs.
func BenchmarkReply(b *testing.B) {
	const n = 1000
	_, seen := observed(b, n)
	size := 0
	for b.Loop() {
		packed, err := packObservations(seen)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := unpackObservations(packed); err != nil {
			b.Fatal(err)
		}
		size = len(packed) / 3 * 4
	}
	report(b, n, size)
}

func report(b *testing.B, n, size int) {
	b.Helper()
	b.ReportMetric(float64(size)/float64(n), "B/endpoint")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/endpoint")
}

// BenchmarkShard is what choosing an endpoint's shard costs, of a hundred.
func BenchmarkShard(b *testing.B) {
	for b.Loop() {
		Shard("production/api", 100)
	}
}
