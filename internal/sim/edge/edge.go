// Package edge is the simulated load balancers' public face: real TLS servers on loopback that serve the
// certificate attached at the time of each handshake.
package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Server is one listener on loopback.
type Server struct {
	// Address is IP:PORT.
	Address string
	server  *http.Server
	done    chan error
}

// Certificate returns the certificate attached for a server name.
type Certificate func(serverName string) (*tls.Certificate, error)

// Start serves handler over TLS on a free port of host (an address of the loopback network) until Close.
func Start(ctx context.Context, host string, certificate Certificate, handler http.Handler) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", host, err)
	}
	s := &Server{
		Address: listener.Addr().String(),
		server: &http.Server{
			Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
			TLSConfig: &tls.Config{
				MinVersion: tls.VersionTLS12,
				GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
					return certificate(hello.ServerName)
				},
			},
		},
		done: make(chan error, 1),
	}
	go func() { s.done <- s.server.ServeTLS(listener, "", "") }()
	return s, nil
}

// Close stops the server and closes every connection.
func (s *Server) Close() error {
	err := s.server.Close()
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
