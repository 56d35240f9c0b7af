// Package pki issues certificates for the simulated account and for tests: roots, intermediates and leaves, valid
// and invalid. Clients must not trust them.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Pair is a certificate with its key and the chain above it.
type Pair struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	// Parents are the issuers, nearest first, the root last.
	Parents []*x509.Certificate
}

// Option changes the template of a certificate before it is signed.
type Option func(*x509.Certificate)

// Valid sets the dates.
func Valid(notBefore, notAfter time.Time) Option {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = notBefore, notAfter }
}

// Root returns a self-signed CA valid for ten years around now.
func Root(commonName string, now time.Time, opts ...Option) (*Pair, error) {
	return RootWithKey(commonName, now, nil, opts...)
}

// RootWithKey is Root for the caller's key.
func RootWithKey(commonName string, now time.Time, key crypto.Signer, opts ...Option) (*Pair, error) {
	return issue(nil, ca(commonName, now.AddDate(-5, 0, 0), now.AddDate(5, 0, 0)), key, opts)
}

// Intermediate returns a CA under p.
func (p *Pair) Intermediate(commonName string, now time.Time, opts ...Option) (*Pair, error) {
	return p.IntermediateWithKey(commonName, now, nil, opts...)
}

// IntermediateWithKey is Intermediate for the caller's key.
func (p *Pair) IntermediateWithKey(commonName string, now time.Time, key crypto.Signer, opts ...Option) (*Pair, error) {
	return issue(p, ca(commonName, now.AddDate(-2, 0, 0), now.AddDate(3, 0, 0)), key, opts)
}

// Leaf returns a server certificate under p for names (DNS names or IP addresses), the first as common name, valid from
// 30 days ago for 90 days.
func (p *Pair) Leaf(now time.Time, names []string, opts ...Option) (*Pair, error) {
	return issue(p, leaf(now, names), nil, opts)
}

// LeafWithKey is Leaf for the caller's key.
func (p *Pair) LeafWithKey(now time.Time, names []string, key crypto.Signer, opts ...Option) (*Pair, error) {
	return issue(p, leaf(now, names), key, opts)
}

// SelfSigned returns a server certificate that is its own issuer.
func SelfSigned(now time.Time, names []string, opts ...Option) (*Pair, error) {
	return issue(nil, leaf(now, names), nil, opts)
}

func ca(commonName string, notBefore, notAfter time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: commonName, Organization: []string{"certdrift simulation"}},
		NotBefore: notBefore, NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func leaf(now time.Time, names []string) *x509.Certificate {
	c := &x509.Certificate{
		NotBefore: now.AddDate(0, 0, -30), NotAfter: now.AddDate(0, 0, 60),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	if len(names) > 0 {
		c.Subject.CommonName = names[0]
	}
	return c
}

func issue(parent *Pair, template *x509.Certificate, key crypto.Signer, opts []Option) (*Pair, error) {
	for _, o := range opts {
		o(template)
	}
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, fmt.Errorf("making a key for %q: %w", template.Subject.CommonName, err)
		}
	}
	if template.SerialNumber == nil {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			return nil, fmt.Errorf("making a serial number: %w", err)
		}
		template.SerialNumber = serial.Add(serial, big.NewInt(1))
	}
	issuer, signer := template, key
	if parent != nil {
		issuer, signer = parent.Certificate, parent.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("signing the certificate for %q: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parsing the certificate for %q: %w", template.Subject.CommonName, err)
	}
	p := &Pair{Certificate: cert, Key: key}
	if parent != nil {
		p.Parents = append([]*x509.Certificate{parent.Certificate}, parent.Parents...)
	}
	return p, nil
}

// Served returns the chain as a well-configured server sends it: the leaf and the intermediates, without the root.
func (p *Pair) Served() [][]byte {
	chain := [][]byte{p.Certificate.Raw}
	for i, parent := range p.Parents {
		if i < len(p.Parents)-1 {
			chain = append(chain, parent.Raw)
		}
	}
	return chain
}

// TLS returns the pair for a server that sends Served.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: p.Served(), PrivateKey: p.Key}
}

// PEM returns Served in PEM.
func (p *Pair) PEM() []byte {
	var out []byte
	for _, der := range p.Served() {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return out
}

// KeyPEM returns the key in PKCS #8.
func (p *Pair) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, fmt.Errorf("encoding the key of %q: %w", p.Certificate.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
