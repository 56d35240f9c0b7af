package trust_test

import (
	"bytes"
	"testing"

	"certdrift/internal/trust"
)

// FuzzCertificates: a CA file is certificates or an error, and what is read from it is in it.
func FuzzCertificates(f *testing.F) {
	ca := root(f, "A")
	f.Add(encode(ca.Certificate))
	f.Add(append([]byte("text\r\n"), encode(ca.Certificate, ca.Certificate)...))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n"))
	f.Add(ca.Certificate.Raw)
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := trust.Certificates(data)
		if (err == nil) != (len(certs) > 0) {
			t.Fatalf("%d certificates, and the error %v", len(certs), err)
		}
		if err != nil {
			return
		}
		again, err := trust.Certificates(encode(certs...))
		if err != nil || len(again) != len(certs) || !bytes.Equal(again[0].Raw, certs[0].Raw) {
			t.Fatalf("%d certificates, written and read again %d: %v", len(certs), len(again), err)
		}
	})
}
