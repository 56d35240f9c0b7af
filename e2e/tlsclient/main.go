// Command tlsclient makes a TLS connection with crypto/tls as it comes, and asks for a page: what any Go program does, unlike certdrift,
// whose settings are wider. Exit status: 0 accepted, 1 refused.
//
//go:debug rsa1024min=1
//go:debug tlsmaxrsasize=8192
//go:debug tlssha1=0
//go:debug x509negativeserial=0
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	if err := connect(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func connect(host, port, name, roots string) error {
	pem, err := os.ReadFile(roots)
	if err != nil {
		return fmt.Errorf("reading the roots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("reading the roots: no certificate in %q", roots)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", net.JoinHostPort(host, port), &tls.Config{ServerName: name, RootCAs: pool})
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close() //nolint:errcheck // nothing is to come
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	_, err = conn.Read(make([]byte, 1))
	if alert := tls.AlertError(0); errors.As(err, &alert) || err != nil && isRemote(err) {
		return fmt.Errorf("reading: %w", err)
	}
	return nil
}

// isRemote reports whether the server ended the connection with an alert.
func isRemote(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "remote error"
}
