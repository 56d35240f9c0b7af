package listener

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"certdrift/internal/arn"
	"certdrift/internal/awsio/awserr"
	"certdrift/internal/observation"
)

// maxChain bounds the certificates read from one PEM text.
const maxChain = 100

// certificates reads each certificate once, side by side.
func (in *inspection) certificates(ctx context.Context, arns []string) []observation.Certificate {
	out := make([]observation.Certificate, len(arns))
	var group sync.WaitGroup
	for i, arn := range arns {
		group.Go(func() { out[i] = in.certificate(ctx, arn) })
	}
	group.Wait()
	return out
}

func (in *inspection) certificate(ctx context.Context, name string) observation.Certificate {
	c := observation.Certificate{ARN: name}
	at, ok := arn.Split(name)
	if ok {
		// IAM has no region of its own; any client of the partition reaches it.
		role, reachable := in.roles[at.Account]
		switch {
		case at.Service == "acm" && strings.HasPrefix(at.Resource, "certificate/"):
			in.reach(&c, "acm:DescribeCertificate", at, reachable, func() { in.fromACM(ctx, &c, in.at(at.Region, role).ACM, at) })
			return c
		case at.Service == "iam" && strings.HasPrefix(at.Resource, "server-certificate/"):
			in.reach(&c, "iam:GetServerCertificate", at, reachable, func() { in.fromIAM(ctx, &c, in.at(in.options.Home, role).IAM, at) })
			return c
		}
	}
	in.unreadable(&c, errors.New("this is not the ARN of an ACM or IAM certificate"), "acm:DescribeCertificate", at)
	return c
}

// reach reads a certificate, where some role leads to its account.
func (in *inspection) reach(c *observation.Certificate, operation string, at arn.ARN, reachable bool, read func()) {
	if !reachable && in.unidentified {
		c.Unreadable = true // it may well be of an account that could not be identified, which has an ObserveError of its own
		return
	}
	if !reachable {
		in.unreadable(c, fmt.Errorf("no configured role has access to the account %q", at.Account), operation, at)
		return
	}
	read()
}

func (in *inspection) unreadable(c *observation.Certificate, err error, operation string, at arn.ARN) {
	c.Unreadable = true
	in.notes.add(awserr.Of(err, operation, at.Region, at.Account, c.ARN))
}

// fromACM reads ACM's record and the certificate itself, side by side: either may be had without the other.
func (in *inspection) fromACM(ctx context.Context, c *observation.Certificate, client acmAPI, at arn.ARN) {
	var record *acm.DescribeCertificateOutput
	var body *acm.GetCertificateOutput
	var described, got error
	var group sync.WaitGroup
	group.Go(func() {
		described = in.call(ctx, service{"acm:DescribeCertificate", at.Region, at.Account}, func() (err error) {
			record, err = client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(c.ARN)})
			return err
		})
	})
	group.Go(func() {
		got = in.call(ctx, service{"acm:GetCertificate", at.Region, at.Account}, func() (err error) {
			body, err = client.GetCertificate(ctx, &acm.GetCertificateInput{CertificateArn: aws.String(c.ARN)})
			return err
		})
	})
	group.Wait()
	switch {
	case awserr.Missing(described):
		c.Missing = true
		return
	case described != nil:
		in.notes.add(awserr.Of(described, "acm:DescribeCertificate", at.Region, at.Account, c.ARN))
	case record.Certificate != nil:
		readRecord(c, record.Certificate)
	}
	if got == nil {
		got = readBody(c, aws.ToString(body.Certificate), aws.ToString(body.CertificateChain))
	}
	switch {
	case got == nil, awserr.Code(got) == "RequestInProgressException":
		// Requested and not issued yet: the record says so, there is no body.
	case awserr.Missing(got) && described == nil:
		// ACM knows the request but holds no certificate (validation failed, or it was deleted just now).
	case awserr.Missing(got):
		c.Missing = true
	default:
		in.notes.add(awserr.Of(got, "acm:GetCertificate", at.Region, at.Account, c.ARN))
		c.Unreadable = described != nil
	}
}

func readRecord(c *observation.Certificate, d *types.CertificateDetail) {
	c.Names = slices.Clone(d.SubjectAlternativeNames)
	if name := aws.ToString(d.DomainName); len(c.Names) == 0 && name != "" {
		c.Names = []string{name}
	}
	c.NotBefore, c.NotAfter = aws.ToTime(d.NotBefore).UTC(), aws.ToTime(d.NotAfter).UTC()
	c.Status, c.Type, c.RenewalEligibility = string(d.Status), string(d.Type), string(d.RenewalEligibility)
	c.Imported = aws.ToTime(d.ImportedAt).UTC()
	c.InUseBy = slices.Sorted(slices.Values(d.InUseBy))
	domains := d.DomainValidationOptions
	if r := d.RenewalSummary; r != nil {
		c.RenewalStatus, c.RenewalStatusReason = string(r.RenewalStatus), string(r.RenewalStatusReason)
		if len(r.DomainValidationOptions) > 0 {
			domains = r.DomainValidationOptions
		}
	}
	if c.RenewalStatusReason == "" {
		c.RenewalStatusReason = string(d.FailureReason)
	}
	for _, v := range domains {
		if v.ValidationStatus == types.DomainStatusSuccess || v.ValidationStatus == "" {
			continue
		}
		pending := observation.Validation{Domain: aws.ToString(v.DomainName), Status: string(v.ValidationStatus), Method: string(v.ValidationMethod)}
		if r := v.ResourceRecord; r != nil {
			pending.RecordName, pending.RecordValue = aws.ToString(r.Name), aws.ToString(r.Value)
		}
		c.PendingValidation = append(c.PendingValidation, pending)
	}
}

// fromIAM reads a server certificate, which IAM knows by its name without the path.
func (in *inspection) fromIAM(ctx context.Context, c *observation.Certificate, client iamAPI, at arn.ARN) {
	name := at.Resource[strings.LastIndex(at.Resource, "/")+1:]
	var out *iam.GetServerCertificateOutput
	err := in.call(ctx, service{name: "iam", account: at.Account}, func() (err error) {
		out, err = client.GetServerCertificate(ctx, &iam.GetServerCertificateInput{ServerCertificateName: aws.String(name)})
		return err
	})
	switch {
	case awserr.Missing(err):
		c.Missing = true
		return
	case err == nil && out.ServerCertificate == nil:
		err = errors.New("IAM returned no certificate")
	case err == nil:
		if m := out.ServerCertificate.ServerCertificateMetadata; m != nil {
			if found := aws.ToString(m.Arn); found != "" && found != c.ARN && wrongPath(found, at) {
				// The name is taken by a certificate with another path: nothing is under this ARN.
				c.Missing = true
				return
			}
			c.NotAfter, c.Imported = aws.ToTime(m.Expiration).UTC(), aws.ToTime(m.UploadDate).UTC()
		}
		err = readBody(c, aws.ToString(out.ServerCertificate.CertificateBody), aws.ToString(out.ServerCertificate.CertificateChain))
	}
	if err != nil {
		in.unreadable(c, err, "iam:GetServerCertificate", at)
	}
}

// wrongPath reports whether an ARN IAM gave is of another path than the one asked for.
func wrongPath(found string, asked arn.ARN) bool {
	p, ok := arn.Split(found)
	return ok && p.Account == asked.Account && p.Resource != asked.Resource
}

// readBody takes the certificate and its chain from PEM. Its dates and names go before the record's: the body is what
// clients get.
func readBody(c *observation.Certificate, body, chain string) error {
	var ders [][]byte
	for _, text := range []string{body, chain} {
		rest := []byte(text)
		for len(ders) < maxChain {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if block.Type == "CERTIFICATE" {
				ders = append(ders, block.Bytes)
			}
		}
	}
	if len(ders) == 0 {
		return errors.New("AWS returned no PEM certificate")
	}
	c.Chain = ders
	leaf, err := x509.ParseCertificate(ders[0])
	if err != nil {
		// A certificate that does not parse is a finding of the judge's, who has the bytes.
		return nil //nolint:nilerr // see above
	}
	c.NotBefore, c.NotAfter = leaf.NotBefore, leaf.NotAfter
	if len(leaf.DNSNames)+len(leaf.IPAddresses) > 0 {
		c.Names = slices.Clone(leaf.DNSNames)
		for _, ip := range leaf.IPAddresses {
			c.Names = append(c.Names, ip.String())
		}
	}
	return nil
}
