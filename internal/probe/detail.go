package probe

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"certdrift/internal/finding"
)

// detail returns the text of an error, the same in each round for the same error: without the local port that package net
// includes.
func detail(err error) string {
	text := err.Error()
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		text = "looking up " + finding.Quote(dns.Name) + ": " + dns.Err[strings.LastIndex(dns.Err, ": ")+1:]
		text = strings.ReplaceAll(text, ":  ", ": ")
	case errors.As(err, &op) && op.Err != nil:
		text = strings.ReplaceAll(text, op.Error(), op.Op+": "+op.Err.Error())
	}
	var header tls.RecordHeaderError
	if errors.As(err, &header) && header.RecordHeader != [5]byte{} {
		text += ": it begins with " + finding.Quote(string(header.RecordHeader[:]))
	}
	text = strings.ReplaceAll(text, "\n", "; ") // of joined errors
	return finding.Clean(text, finding.QuoteLimit)
}
