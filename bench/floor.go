package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// floor is the least that a check can be: dial, TLS handshake, verify, HEAD, close.
type floor struct {
	world
	roots   *x509.CertPool
	workers int
	// cached remembers which chains verified for which name, and until when.
	cached bool
	// lean offers X25519 alone and keeps parsed certificates, which crypto/tls then does not parse again.
	lean bool

	mu       sync.Mutex
	verified map[[sha256.Size]byte]time.Time
	kept     map[*x509.Certificate]bool
}

// floorProcess makes a round for each line of its input and answers each with a line.
func floorProcess(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("floor", flag.ContinueOnError)
	f := floor{verified: map[[sha256.Size]byte]time.Time{}, kept: map[*x509.Certificate]bool{}}
	flags.BoolVar(&f.cached, "cached", false, "remember verified chains")
	flags.BoolVar(&f.lean, "lean", false, "X25519 alone, and keep certificates")
	flags.IntVar(&f.workers, "workers", 64, "concurrent checks")
	described := flags.String("world", "", "the world, in JSON")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	if err := json.Unmarshal([]byte(*described), &f.world); err != nil {
		return fmt.Errorf("reading the world: %w", err)
	}
	var err error
	if f.roots, err = f.pool(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		begin := time.Now()
		if err := f.round(ctx, lines.Text() == "silent"); err != nil {
			return err
		}
		fmt.Fprintln(out, time.Since(begin).Seconds())
	}
	return nil
}

// round checks every host, or leaves all checks waiting at the silent address.
func (f *floor) round(ctx context.Context, silent bool) error {
	work := make(chan string)
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range f.workers {
		group.Go(func() {
			for host := range work {
				if err := f.check(ctx, host, silent); err != nil && !silent {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, host := range f.Hosts {
		work <- host
	}
	close(work)
	group.Wait()
	return failed
}

func (f *floor) check(ctx context.Context, host string, silent bool) error {
	address := f.Address
	if silent {
		address = f.Silent
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("dialing %s: %w", address, err)
	}
	defer conn.Close() //nolint:errcheck // the check is over
	timeout := busyTimeout
	if silent {
		timeout = hangTimeout
	}
	_ = conn.SetDeadline(time.Now().Add(timeout))
	config := &tls.Config{ServerName: host, RootCAs: f.roots, SessionTicketsDisabled: true}
	if f.lean {
		config.CurvePreferences = []tls.CurveID{tls.X25519}
	}
	if f.cached {
		config.InsecureSkipVerify = true // verify does it
		config.VerifyConnection = f.verify
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("shaking hands for %s: %w", host, err)
	}
	if _, err := fmt.Fprintf(secured, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host); err != nil {
		return fmt.Errorf("asking %s: %w", host, err)
	}
	answer := make([]byte, 512)
	n, err := secured.Read(answer)
	if !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("%s answered %q: %w", host, answer[:n], err)
	}
	return nil
}

// verify verifies a chain for a name once.
func (f *floor) verify(state tls.ConnectionState) error {
	sum := sha256.New()
	_, _ = io.WriteString(sum, state.ServerName+"\x00") // it never fails
	for _, c := range state.PeerCertificates {
		sum.Write(c.Raw)
	}
	key := [sha256.Size]byte(sum.Sum(nil))
	f.mu.Lock()
	until, ok := f.verified[key]
	if f.lean {
		for _, c := range state.PeerCertificates {
			f.kept[c] = true
		}
	}
	f.mu.Unlock()
	if ok && time.Now().Before(until) {
		return nil
	}
	options := x509.VerifyOptions{Roots: f.roots, DNSName: state.ServerName, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	paths, err := state.PeerCertificates[0].Verify(options)
	if err != nil {
		return err //nolint:wrapcheck // the handshake wraps it
	}
	for _, c := range paths[0] {
		if until.IsZero() || c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.verified[key] = until
	return nil
}
