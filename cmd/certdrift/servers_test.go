package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"certdrift/internal/sim/pki"
)

// authority issues the certificates of the servers that scripts start.
type authority struct {
	now          time.Time
	root, issuer *pki.Pair
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{now: time.Now()}
	var err error
	if a.root, err = pki.Root("Script Root", a.now); err != nil {
		t.Fatal(err)
	}
	if a.issuer, err = a.root.Intermediate("Script Issuing CA", a.now); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) rootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Certificate.Raw})
}

// serve starts a server until the script's end. The kinds: good, expired, expiring, wrong-name, self-signed,
// incomplete (no intermediate), status-500, slow (an answer after half a minute), silent (never a byte; the file NAME.met
// says that it has a client), plaintext
// (HTTP where TLS is due), hostile (a poisonous body and header), unruly (HTTP/2 frames out of order).
func (a *authority) serve(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: serve NAME KIND")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Setenv(args[0]+"_PORT", l.Addr().String()[strings.LastIndexByte(l.Addr().String(), ':')+1:])
	switch kind := args[1]; kind {
	case "silent":
		ts.Defer(func() { _ = l.Close() })
		go silent(l, ts.MkAbs(args[0]+".met"))
	case "plaintext":
		start(ts, l, kind)
	case "unruly":
		cert, err := a.certificate(kind)
		ts.Check(err)
		ts.Defer(func() { _ = l.Close() })
		go unruly(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}}))
	default:
		cert, err := a.certificate(kind)
		ts.Check(err)
		start(ts, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}), kind)
	}
}

func (a *authority) certificate(kind string) (tls.Certificate, error) {
	names := []string{"127.0.0.1", "localhost"}
	var pair *pki.Pair
	var err error
	switch kind {
	case "expired":
		pair, err = a.issuer.Leaf(a.now, names, pki.Valid(a.now.AddDate(0, 0, -90), a.now.AddDate(0, 0, -3)))
	case "expiring":
		pair, err = a.issuer.Leaf(a.now, names, pki.Valid(a.now.AddDate(0, 0, -75), a.now.AddDate(0, 0, 15)))
	case "wrong-name":
		pair, err = a.issuer.Leaf(a.now, []string{"other.example.org"})
	case "self-signed":
		pair, err = pki.SelfSigned(a.now, names)
	default:
		pair, err = a.issuer.Leaf(a.now, names)
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	cert := pair.TLS()
	if kind == "incomplete" {
		cert.Certificate = cert.Certificate[:1]
	}
	return cert, nil
}

func start(ts *testscript.TestScript, l net.Listener, kind string) {
	server := &http.Server{Handler: handler(kind), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(l) }()
	ts.Defer(func() { _ = server.Close() })
}

func handler(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch kind {
		case "status-500":
			w.WriteHeader(http.StatusInternalServerError)
		case "hostile":
			w.Header().Set("Server", "x ::error::owned <script>")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write(bytes.Repeat([]byte("\x1b[2J\r\n::error::owned\r\n| <script>alert(1)</script> \u202e `x`"), 3))
			return
		case "slow":
			select {
			case <-time.After(30 * time.Second):
			case <-r.Context().Done():
			}
		}
		_, _ = io.WriteString(w, "ok")
	}
}

// silent accepts connections, and keeps them.
func silent(l net.Listener, met string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = os.WriteFile(met, nil, 0o600)
	}
}

// unruly speaks HTTP/2 (RFC 9113 §6): an empty SETTINGS frame, and once the request may be there the body of stream 1
// without a header before it.
func unruly(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
			_, _ = io.ReadFull(conn, make([]byte, 100)) // the preface and the client's first frames
			_, _ = conn.Write([]byte{0, 0, 1, 0, 0, 0, 0, 0, 1, 'x'})
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
}
