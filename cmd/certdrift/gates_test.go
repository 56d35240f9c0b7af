package main

import (
	"crypto/tls"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"certdrift/internal/sim/pki"
)

// issue writes a certificate and its chain, PEM, for names, with so many of its 90 days left.
func (a *authority) issue(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: issue FILE DAYS NAME…")
	}
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	end := a.now.AddDate(0, 0, days)
	pair, err := a.issuer.Leaf(a.now, args[2:], pki.Valid(end.AddDate(0, 0, -90), end))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pair.PEM(), 0o644))
}

// repaired starts a server that serves an expired certificate for so many handshakes, and a good one from then on: a deploy
// that takes effect late, or is repaired while certdrift verify waits.
func (a *authority) repaired(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: repaired NAME HANDSHAKES")
	}
	until, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	bad, err := a.certificate("expired")
	ts.Check(err)
	good, err := a.certificate("good")
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Setenv(args[0]+"_PORT", l.Addr().String()[strings.LastIndexByte(l.Addr().String(), ':')+1:])
	var handshakes atomic.Int64
	config := &tls.Config{NextProtos: []string{"http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if handshakes.Add(1) <= until {
			return &bad, nil
		}
		return &good, nil
	}}
	start(ts, tls.NewListener(l, config), "good")
}
