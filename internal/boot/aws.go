package boot

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"certdrift/internal/arn"
	"certdrift/internal/awsio/listener"
	"certdrift/internal/awsio/sns"
	"certdrift/internal/awsio/source"
	"certdrift/internal/config"
	"certdrift/internal/target"
)

// cloud makes clients: per region, and per role of another account. Credentials of a role are shared by its clients.
type cloud struct {
	base aws.Config
	// home is the SDK's own region; empty where it has none.
	home  string
	mu    sync.Mutex
	roles map[target.Role]aws.CredentialsProvider
	id    string // of the caller's account; empty until it was asked for
}

// newCloud returns a cloud with the settings of the environment it runs in.
func newCloud(ctx context.Context) (*cloud, error) {
	base, err := settings(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	base.APIOptions = append(base.APIOptions, refuseHollow)
	return &cloud{base: base, home: base.Region, roles: map[target.Role]aws.CredentialsProvider{}}, nil
}

// reach sets the region to one that the configuration names where the SDK has none of its own: it makes no client without
// one, and STS and IAM answer the same in every region. Load balancers are still looked up in the home region.
func (c *cloud) reach(regions ...string) {
	for _, region := range regions {
		if c.base.Region == "" {
			c.base.Region = region
		}
	}
}

// regionsOf returns the regions that a configuration names.
func regionsOf(c config.Config) []string {
	regions := slices.Clone(c.Scope.Regions)
	for _, e := range c.Endpoints {
		if e.LoadBalancer != nil {
			regions = append(regions, e.LoadBalancer.Region)
		}
		if e.Declared != nil {
			if certificate, err := arn.Certificate(e.Declared.ARN); err == nil {
				regions = append(regions, certificate.Region)
			}
		}
	}
	return regions
}

// in returns the configuration for a region and a role; the zero role is the caller's own.
func (c *cloud) in(region string, role target.Role) aws.Config {
	made := c.base.Copy()
	if region != "" {
		made.Region = region
	}
	if role.ARN == "" {
		return made
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.roles[role] == nil {
		c.roles[role] = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c.base), role.ARN,
			func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName = "certdrift"
				if role.ExternalID != "" {
					o.ExternalID = aws.String(role.ExternalID.Reveal())
				}
			}))
	}
	made.Credentials = c.roles[role]
	return made
}

// inspector reads load balancers with the SDK's clients.
func (c *cloud) inspector() *listener.Inspector {
	return listener.New(listener.Options{
		Home: c.home,
		Clients: func(region string, role target.Role) listener.Clients {
			in := c.in(region, role)
			return listener.Clients{
				Classic: elb.NewFromConfig(in), Modern: elbv2.NewFromConfig(in),
				ACM: acm.NewFromConfig(in), IAM: iam.NewFromConfig(in),
			}
		},
		Account: c.account,
	})
}

// topics makes SNS's client for a region.
func (c *cloud) topics(region string) *awssns.Client {
	return awssns.NewFromConfig(c.in(region, target.Role{}))
}

// alertPath reads the topics that alerts go to, each in the region that its ARN names. Where none is known SNS is never
// asked.
func (c *cloud) alertPath(topic, chat string, expected []string) *sns.Path {
	var places []sns.Place
	if topic != "" {
		places = append(places, sns.Place{ARN: topic, Expected: expected})
	}
	if chat != "" {
		places = append(places, sns.Place{ARN: chat, Chat: true})
	}
	return sns.NewPath(c.topics, places...)
}

// reader reads the deployment package, S3 and SSM.
func (c *cloud) reader() *source.Reader {
	return source.New(source.Options{S3: s3.NewFromConfig(c.base), SSM: ssm.NewFromConfig(c.base)})
}

// own returns the ID of the caller's own account, asked for once.
func (c *cloud) own(ctx context.Context) (string, error) {
	c.mu.Lock()
	id := c.id
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	id, err := c.account(ctx, target.Role{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id = id
	return id, err
}

// account returns the ID of the account that a role belongs to.
func (c *cloud) account(ctx context.Context, role target.Role) (string, error) {
	out, err := sts.NewFromConfig(c.in("", role)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("asking for the account: %w", err)
	}
	return aws.ToString(out.Account), nil
}
