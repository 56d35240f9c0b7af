package probe

import (
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"certdrift/internal/certtest"
	"certdrift/internal/target"
)

// BenchmarkBareHandshake is the cost of any crypto/tls client, including the server on the same machine.
func BenchmarkBareHandshake(b *testing.B) {
	address := certtest.ServeTLS(b, "127.0.0.1", serving(b), nil)
	b.ReportAllocs()
	for b.Loop() {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // a benchmark
		if err != nil {
			b.Fatal(err)
		}
		_ = conn.Close()
	}
}

// BenchmarkProbeTLS is the same with all that certdrift records.
func BenchmarkProbeTLS(b *testing.B) {
	benchmark(b, at(b, target.TLS, certtest.ServeTLS(b, "127.0.0.1", serving(b), nil)))
}

// BenchmarkProbeTLSInTurns is the same in a round in which the server has no turn to be asked for another certificate.
func BenchmarkProbeTLSInTurns(b *testing.B) {
	benchmark(b, at(b, target.TLS, certtest.ServeTLS(b, "127.0.0.1", serving(b), nil), func(e *target.Endpoint) { e.OtherEvery = time.Hour }))
}

// BenchmarkProbeHTTPS adds a request over HTTP/1.1 and over HTTP/2.
func BenchmarkProbeHTTPS(b *testing.B) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		b.Run(protocol, func(b *testing.B) {
			config := serving(b)
			config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
				c := config.Clone()
				c.NextProtos = []string{protocol}
				return c, nil
			}
			benchmark(b, at(b, target.HTTPS, web(b, config, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, 32<<10))
			})))
		})
	}
}

func benchmark(b *testing.B, e target.Endpoint) {
	b.Helper()
	p := New(Options{Now: time.Now})
	b.ReportAllocs()
	for b.Loop() {
		healthy(b, one(b, p.Probe(b.Context(), []target.Endpoint{e})[0]))
	}
}
