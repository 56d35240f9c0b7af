package listener

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"

	"certdrift/internal/arn"
	"certdrift/internal/awsio/awserr"
	"certdrift/internal/target"
)

// Users are the load balancers, classic ones too, that ACM says have a certificate attached, as sorted ARNs (InUseBy of
// DescribeCertificate, which lists other services' resources beside). known is false where ACM has no such certificate. An
// error means that ACM could not be asked: its account is behind no role of the scope, or it refused.
func (i *Inspector) Users(ctx context.Context, scope target.Scope, certificate string) (users []string, known bool, err error) {
	at, ok := arn.Split(certificate)
	if !ok || at.Service != "acm" {
		return nil, false, fmt.Errorf("%q is not the ARN of an ACM certificate", certificate)
	}
	in := &inspection{Inspector: i, wanted: target.Wanted{Scope: scope}, roles: map[string]target.Role{}}
	in.identify(ctx)
	role, reachable := in.roles[at.Account]
	if !reachable {
		return nil, false, fmt.Errorf("no configured role has access to the account %q", at.Account)
	}
	out, err := i.at(at.Region, role).ACM.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(certificate)})
	switch {
	case awserr.Missing(err):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("describing %q: %w", certificate, err)
	case out.Certificate == nil:
		return nil, false, fmt.Errorf("describing %q: ACM returned no certificate", certificate)
	}
	for _, user := range out.Certificate.InUseBy {
		if p, ok := arn.Split(user); ok && p.LoadBalancer() != "" {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return slices.Compact(users), true, nil
}
