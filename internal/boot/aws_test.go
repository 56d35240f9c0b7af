package boot

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"certdrift/internal/config"
	"certdrift/internal/target"
)

// TestReach: a configuration that names its regions needs no AWS_REGION beside them.
func TestReach(t *testing.T) {
	east := target.Endpoint{LoadBalancer: &target.LoadBalancerRef{Name: "a", Region: "us-east-1"}}
	west := target.Endpoint{
		LoadBalancer: &target.LoadBalancerRef{Name: "b"},
		Declared:     &target.Declared{ARN: "arn:aws:acm:us-west-2:111122223333:certificate/a"},
	}
	for name, c := range map[string]struct {
		own  string
		from config.Config
		want string
	}{
		"the own one":      {"eu-west-1", config.Config{Scope: target.Scope{Regions: []string{"us-west-2"}}}, "eu-west-1"},
		"of the scope":     {"", config.Config{Scope: target.Scope{Regions: []string{"us-west-2", "us-east-1"}}, Endpoints: []target.Endpoint{east}}, "us-west-2"},
		"of an endpoint":   {"", config.Config{Endpoints: []target.Endpoint{{}, east}}, "us-east-1"},
		"of a certificate": {"", config.Config{Endpoints: []target.Endpoint{west}}, "us-west-2"},
		"of nobody":        {"", config.Config{Endpoints: []target.Endpoint{{}}}, ""},
	} {
		cloud := &cloud{base: aws.Config{Region: c.own}, home: c.own}
		cloud.reach(regionsOf(c.from)...)
		if got := cloud.in("", target.Role{}).Region; got != c.want || cloud.home != c.own {
			t.Errorf("%s: asked in %q, at home in %q; want %q, %q", name, got, cloud.home, c.want, c.own)
		}
	}
}
