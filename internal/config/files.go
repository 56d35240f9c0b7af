package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// maxCertificates is the maximum number of certificates in one file.
const maxCertificates = 2000

// files reads the files that the configuration names, each once.
type files struct {
	read   func(name string) ([]byte, error)
	seen   map[string]content
	parsed map[string]chain
}

type content struct {
	data  []byte
	wrong *mistake
}

type chain struct {
	ders  [][]byte
	wrong *mistake
}

func (f *files) get(name string) ([]byte, *mistake) {
	if had, ok := f.seen[name]; ok {
		return had.data, had.wrong
	}
	if f.seen == nil {
		f.seen = map[string]content{}
	}
	data, m := f.fetch(name)
	f.seen[name] = content{data, m}
	return data, m
}

func (f *files) fetch(name string) ([]byte, *mistake) {
	quoted := finding.Quote(name)
	if f.read == nil {
		return nil, &mistake{quoted + " cannot be read: there are no files beside this configuration",
			"load the configuration from a file or an S3 object, with the files that it names beside it"}
	}
	data, err := f.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &mistake{quoted + " does not exist", "paths are relative to the configuration file"}
	case errors.Is(err, fs.ErrPermission):
		return nil, &mistake{quoted + " cannot be read: permission denied", "give the user that runs certdrift read permission"}
	case err != nil:
		return nil, &mistake{quoted + " cannot be read: " + finding.Clean(err.Error(), finding.QuoteLimit), "check that it is a readable file"}
	case len(data) > maxFile:
		return nil, &mistake{fmt.Sprintf("%s is larger than %d KiB", quoted, maxFile>>10), "remove certificates that are not needed"}
	}
	return data, nil
}

// certificates reads a file of certificates, PEM or DER.
func (f *files) certificates(name string) ([][]byte, *mistake) {
	had, ok := f.parsed[name]
	if !ok {
		had.ders, had.wrong = f.parse(name)
		if f.parsed == nil {
			f.parsed = map[string]chain{}
		}
		f.parsed[name] = had
	}
	return had.ders, had.wrong
}

func (f *files) parse(name string) ([][]byte, *mistake) {
	data, m := f.get(name)
	if m != nil {
		return nil, m
	}
	ders, other := pemCertificates(data)
	if len(ders) == 0 && other == "" {
		if _, err := x509.ParseCertificate(data); err != nil {
			return nil, &mistake{finding.Quote(name) + " contains no certificate", "name a file with -----BEGIN CERTIFICATE-----, or a certificate in DER"}
		}
		return [][]byte{data}, nil
	}
	if len(ders) == 0 {
		return nil, &mistake{fmt.Sprintf("%s contains a %s but no certificate", finding.Quote(name), finding.Clean(other, 40)),
			"name a file with -----BEGIN CERTIFICATE-----"}
	}
	if len(ders) > maxCertificates {
		return nil, &mistake{fmt.Sprintf("%s contains more than %d certificates", finding.Quote(name), maxCertificates), "remove those that are not needed"}
	}
	for i, der := range ders {
		if _, err := x509.ParseCertificate(der); err != nil {
			return nil, &mistake{fmt.Sprintf("%s: its certificate %d cannot be parsed: %s", finding.Quote(name), i+1,
				finding.Clean(err.Error(), finding.QuoteLimit)), "name a file with certificates as PEM or DER"}
		}
	}
	return ders, nil
}

// pemCertificates returns the certificates of a PEM text, and the type of a block that is not a certificate.
func pemCertificates(data []byte) (ders [][]byte, other string) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return ders, other
		}
		if block.Type == "CERTIFICATE" || block.Type == "TRUSTED CERTIFICATE" || block.Type == "X509 CERTIFICATE" {
			ders = append(ders, block.Bytes)
		} else {
			other = block.Type
		}
	}
}

// clientCertificate reads a certificate and its key, which must belong together.
func (f *files) clientCertificate(in *ClientCertificate) (*target.ClientCertificate, *mistake) {
	chain, m := f.get(in.CertFile)
	if m != nil {
		return nil, m
	}
	key, m := f.get(in.KeyFile)
	if m != nil {
		return nil, m
	}
	if _, err := tls.X509KeyPair(chain, key); err != nil {
		// The error names what is missing or does not match, never the key.
		return nil, &mistake{"cannot be used: " + finding.Clean(err.Error(), finding.QuoteLimit),
			"cert_file holds the certificate and its chain, key_file the private key that belongs to it, both PEM and without a passphrase"}
	}
	return &target.ClientCertificate{CertificatePEM: chain, KeyPEM: target.Secret(key)}, nil
}

// trust is the trust store of all endpoints.
func (b *builder) trust() target.Trust {
	t := target.Trust{Roots: target.Mozilla}
	in := &b.in.Trust
	if b.oneOf(nil, "roots", &in.Roots, "mozilla", "system") {
		t.Roots = target.Roots(in.Roots)
	}
	t.CAs = b.caFiles(nil, in.CAFiles)
	return t
}

func (b *builder) caFiles(e *Endpoint, names []string) [][]byte {
	var cas [][]byte
	for i := range names {
		if !b.given(&names[i]) || slices.Contains(names[:i], names[i]) {
			continue
		}
		ders, m := b.files.certificates(names[i])
		b.wrong(e, "the CA file", &names[i], m)
		cas = append(cas, ders...)
	}
	return cas
}
