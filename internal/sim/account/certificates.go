package account

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"certdrift/internal/sim/pki"
)

// ACM is the Certificate Manager's API.
type ACM struct{ account *Account }

// IAM is what IAM does with server certificates.
type IAM struct{ account *Account }

// ACM gives the client.
func (a *Account) ACM() *ACM { return &ACM{a} }

// IAM gives the client.
func (a *Account) IAM() *IAM { return &IAM{a} }

// AddCertificate puts a certificate that Amazon is said to have issued into ACM and gives its ARN. id is the ARN's last
// part.
func (w *world) AddCertificate(id string, pair *pki.Pair) string {
	return w.put("arn:aws:acm:"+w.options.Region+":"+w.options.ID+":certificate/"+id, types.CertificateTypeAmazonIssued, pair)
}

// AddServerCertificate puts one into IAM. name may have a path: "cloudfront/name".
func (w *world) AddServerCertificate(name string, pair *pki.Pair) string {
	return w.put("arn:aws:iam::"+w.options.ID+":server-certificate/"+name, "", pair)
}

// put stores a pair under an ARN, in place of what was there.
func (w *world) put(arn string, kind types.CertificateType, pair *pki.Pair) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, chain := split(pair.PEM())
	w.certificates[arn] = &certificate{arn: arn, pair: pair, body: body, chain: chain, detail: w.detail(arn, kind, pair.Certificate)}
	return arn
}

// EditCertificate changes what ACM says of a certificate: its status, its renewal.
func (w *world) EditCertificate(arn string, edit func(*types.CertificateDetail)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.certificates[arn]; c != nil {
		edit(&c.detail)
	}
}

// RemoveCertificate deletes a certificate from ACM or IAM, even while it is in use (as happens over accounts' borders).
func (w *world) RemoveCertificate(arn string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.certificates, arn)
}

// DeleteCertificate is RemoveCertificate as somebody's call, with its record in the trail.
func (a *Account) DeleteCertificate(arn string) {
	a.RemoveCertificate(arn)
	said := call{source: acmSource, name: "DeleteCertificate", request: map[string]any{"certificateArn": arn}}
	if strings.Contains(arn, ":server-certificate/") {
		said = call{source: iamSource, name: "DeleteServerCertificate", request: map[string]any{"serverCertificateName": arn[strings.LastIndex(arn, "/")+1:]}}
	}
	a.record(said)
}

// detail is what DescribeCertificate says of a certificate. The lock is held.
func (w *world) detail(arn string, kind types.CertificateType, leaf *x509.Certificate) types.CertificateDetail {
	d := types.CertificateDetail{
		CertificateArn: aws.String(arn), DomainName: aws.String(leaf.Subject.CommonName), SubjectAlternativeNames: leaf.DNSNames,
		NotBefore: aws.Time(leaf.NotBefore), NotAfter: aws.Time(leaf.NotAfter), Type: kind, KeyAlgorithm: algorithm(leaf),
		Status: types.CertificateStatusIssued, Issuer: aws.String(leaf.Issuer.CommonName), Serial: aws.String(leaf.SerialNumber.String()),
		RenewalEligibility: types.RenewalEligibilityEligible,
	}
	switch kind {
	case types.CertificateTypeImported:
		d.ImportedAt = aws.Time(w.options.Now().UTC().Truncate(time.Second))
		d.RenewalEligibility = types.RenewalEligibilityIneligible
	case "":
		d.ImportedAt = aws.Time(leaf.NotBefore) // IAM's UploadDate: the day it was issued
	}
	if w.options.Now().After(leaf.NotAfter) {
		d.Status = types.CertificateStatusExpired
	}
	return d
}

func algorithm(leaf *x509.Certificate) types.KeyAlgorithm {
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		return types.KeyAlgorithm(fmt.Sprintf("RSA_%d", key.N.BitLen()))
	case *ecdsa.PublicKey:
		return types.KeyAlgorithm(map[int]string{256: "EC_prime256v1", 384: "EC_secp384r1", 521: "EC_secp521r1"}[key.Curve.Params().BitSize])
	}
	return ""
}

func missingCertificate(arn string) error {
	return apiError(http.StatusBadRequest, "ResourceNotFoundException", "Could not find certificate "+arn+".")
}

// held finds a certificate.
func (w *world) held(arn string) (certificate, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.certificates[arn]
	if c == nil {
		return certificate{}, false
	}
	found := *c
	found.detail.InUseBy = w.users(arn)
	return found, true
}

// users are the load balancers that a certificate is attached to. The lock is held.
func (w *world) users(arn string) []string {
	var out []string
	for _, b := range w.balancers {
		for _, l := range b.listeners {
			if slices.Contains(l.Certificates, arn) && !slices.Contains(out, b.arn) {
				out = append(out, b.arn)
			}
		}
	}
	return out
}

// DescribeCertificate gives a certificate's record.
func (c *ACM) DescribeCertificate(ctx context.Context, in *acm.DescribeCertificateInput, _ ...func(*acm.Options)) (*acm.DescribeCertificateOutput, error) {
	if err := c.account.enter(ctx, "acm:DescribeCertificate", in); err != nil {
		return nil, err
	}
	held, ok := c.account.held(aws.ToString(in.CertificateArn))
	if !ok {
		return nil, missingCertificate(aws.ToString(in.CertificateArn))
	}
	return &acm.DescribeCertificateOutput{Certificate: &held.detail}, nil
}

// GetCertificate gives the certificate itself, and its chain.
func (c *ACM) GetCertificate(ctx context.Context, in *acm.GetCertificateInput, _ ...func(*acm.Options)) (*acm.GetCertificateOutput, error) {
	if err := c.account.enter(ctx, "acm:GetCertificate", in); err != nil {
		return nil, err
	}
	held, ok := c.account.held(aws.ToString(in.CertificateArn))
	if !ok {
		return nil, missingCertificate(aws.ToString(in.CertificateArn))
	}
	if held.detail.Status == types.CertificateStatusPendingValidation {
		return nil, apiError(http.StatusBadRequest, "RequestInProgressException", "The certificate request is in progress.")
	}
	return &acm.GetCertificateOutput{Certificate: aws.String(string(held.body)), CertificateChain: aws.String(string(held.chain))}, nil
}

// ListCertificates lists what ACM holds: RSA-2048 only, unless Includes asks for other key types, as in AWS.
func (c *ACM) ListCertificates(ctx context.Context, in *acm.ListCertificatesInput, _ ...func(*acm.Options)) (*acm.ListCertificatesOutput, error) {
	w := c.account.world
	if err := w.enter(ctx, "acm:ListCertificates", in); err != nil {
		return nil, err
	}
	keys := []types.KeyAlgorithm{types.KeyAlgorithmRsa2048}
	if in.Includes != nil && len(in.Includes.KeyTypes) > 0 {
		keys = in.Includes.KeyTypes
	}
	some, next, err := page(w, "acm:ListCertificates", w.summaries(keys), in.NextToken, in.MaxItems, 1000)
	if err != nil {
		return nil, err
	}
	return &acm.ListCertificatesOutput{CertificateSummaryList: some, NextToken: next}, nil
}

func (w *world) summaries(keys []types.KeyAlgorithm) []types.CertificateSummary {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []types.CertificateSummary
	for _, arn := range sortedKeys(w.certificates) {
		d := w.certificates[arn].detail
		if !strings.Contains(arn, ":acm:") || !slices.Contains(keys, d.KeyAlgorithm) {
			continue
		}
		all = append(all, types.CertificateSummary{
			CertificateArn: d.CertificateArn, DomainName: d.DomainName, SubjectAlternativeNameSummaries: d.SubjectAlternativeNames,
			Status: d.Status, Type: d.Type, NotAfter: d.NotAfter, NotBefore: d.NotBefore, KeyAlgorithm: d.KeyAlgorithm,
			RenewalEligibility: d.RenewalEligibility, InUse: aws.Bool(len(w.users(arn)) > 0),
		})
	}
	return all
}

// ImportCertificate imports a certificate, or replaces one under its ARN.
func (c *ACM) ImportCertificate(ctx context.Context, in *acm.ImportCertificateInput, _ ...func(*acm.Options)) (*acm.ImportCertificateOutput, error) {
	w := c.account.world
	err := w.enter(ctx, "acm:ImportCertificate", in)
	arn := aws.ToString(in.CertificateArn)
	if err == nil {
		arn, err = w.importPair(arn, in)
	}
	said := call{source: acmSource, name: "ImportCertificate", err: err, request: map[string]any{"certificateArn": arn}}
	if err == nil {
		said.response = map[string]any{"certificateArn": arn}
	}
	c.account.record(said)
	if err != nil {
		return nil, err
	}
	return &acm.ImportCertificateOutput{CertificateArn: aws.String(arn)}, nil
}

func (w *world) importPair(arn string, in *acm.ImportCertificateInput) (string, error) {
	pair, err := tls.X509KeyPair(slices.Concat(in.Certificate, in.CertificateChain), in.PrivateKey)
	if err != nil || pair.Leaf == nil {
		return "", apiError(http.StatusBadRequest, "ValidationException", "The certificate and the private key don't fit together.")
	}
	if w.options.Now().After(pair.Leaf.NotAfter) {
		return "", apiError(http.StatusBadRequest, "ValidationException", "The certificate has expired.")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if arn == "" {
		arn = fmt.Sprintf("arn:aws:acm:%s:%s:certificate/00000000-0000-4000-8000-%012d", w.options.Region, w.options.ID, w.next())
	} else if w.certificates[arn] == nil {
		return "", missingCertificate(arn)
	}
	held := &pki.Pair{Certificate: pair.Leaf}
	held.Key, _ = pair.PrivateKey.(crypto.Signer)
	for _, der := range pair.Certificate[1:] {
		if parent, err := x509.ParseCertificate(der); err == nil {
			held.Parents = append(held.Parents, parent)
		}
	}
	w.certificates[arn] = &certificate{
		arn: arn, pair: held, body: in.Certificate, chain: in.CertificateChain,
		detail: w.detail(arn, types.CertificateTypeImported, pair.Leaf),
	}
	return arn, nil
}

// GetServerCertificate gives a server certificate by its name, without the path.
func (c *IAM) GetServerCertificate(ctx context.Context, in *iam.GetServerCertificateInput, _ ...func(*iam.Options)) (*iam.GetServerCertificateOutput, error) {
	if err := c.account.enter(ctx, "iam:GetServerCertificate", in); err != nil {
		return nil, err
	}
	held, ok := c.account.server(aws.ToString(in.ServerCertificateName))
	if !ok {
		return nil, apiError(http.StatusNotFound, "NoSuchEntity",
			"The Server Certificate with name "+aws.ToString(in.ServerCertificateName)+" cannot be found.")
	}
	leaf := held.pair.Certificate
	return &iam.GetServerCertificateOutput{ServerCertificate: &iamtypes.ServerCertificate{
		CertificateBody: aws.String(string(held.body)), CertificateChain: aws.String(string(held.chain)),
		ServerCertificateMetadata: &iamtypes.ServerCertificateMetadata{
			Arn: aws.String(held.arn), ServerCertificateName: in.ServerCertificateName, Expiration: aws.Time(leaf.NotAfter),
			UploadDate: held.detail.ImportedAt,
			Path:       aws.String("/"), ServerCertificateId: aws.String("ASCA" + leaf.SerialNumber.Text(36)),
		},
	}}, nil
}

func (w *world) server(name string) (certificate, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for arn, c := range w.certificates {
		if strings.Contains(arn, ":server-certificate/") && arn[strings.LastIndex(arn, "/")+1:] == name {
			return *c, true
		}
	}
	return certificate{}, false
}

// split parts a PEM bundle into the leaf and what stands above it.
func split(bundle []byte) (leaf, chain []byte) {
	block, rest := pem.Decode(bundle)
	if block == nil {
		return nil, nil
	}
	return pem.EncodeToMemory(block), rest
}
