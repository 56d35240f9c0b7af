package arn

import (
	"strings"
	"testing"
)

func TestCertificate(t *testing.T) {
	for text, want := range map[string]string{
		"arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a-52c7-4f0e-9d1b-6a8f5a2f1c01": "",
		"arn:aws-us-gov:acm:us-gov-west-1:111122223333:certificate/0b7d2f3a":                  "",
		"arn:aws-cn:iam::111122223333:server-certificate/web/2017/www":                        "",
		"arn:aws:iam::111122223333:server-certificate/web-monitoring-2017":                    "",
		"":                                   `does not begin with "arn:"`,
		"arn:aws:acm:us-west-2:111122223333": "instead of six",
		"arn:aws-eusc:acm:eusc-de-east-1:111122223333:certificate/0b7d2f3a":                "",
		"arn:aws-iso-b:acm:us-isob-east-1:111122223333:certificate/0b7d2f3a":               "",
		"arn:aws-:acm:us-west-2:111122223333:certificate/a":                                "partition",
		"arn:awscn:acm:us-west-2:111122223333:certificate/a":                               "partition",
		"arn:aws-CN:acm:us-west-2:111122223333:certificate/a":                              "partition",
		"arn:aws--cn:acm:us-west-2:111122223333:certificate/a":                             "partition",
		"arn::acm:us-west-2:111122223333:certificate/a":                                    "partition",
		"arn:azure:acm:us-west-2:111122223333:certificate/a":                               "partition",
		"arn:aws::us-west-2:111122223333:certificate/a":                                    "no service",
		"arn:aws:acm:uswest2:111122223333:certificate/a":                                   "no valid region",
		"arn:aws:acm::111122223333:certificate/a":                                          "has no region",
		"arn:aws:acm:us-west-2:1111:certificate/a":                                         "twelve digits",
		"arn:aws:acm:us-west-2::certificate/a":                                             "no account",
		"arn:aws:acm:us-west-2:111122223333:":                                              "no resource",
		"arn:aws:acm:us-west-2:111122223333:certificate/":                                  "not the ARN",
		"arn:aws:acm:us-west-2:111122223333:certificate/…":                                 "printable ASCII",
		"arn:aws:iam:us-east-1:111122223333:server-certificate/a":                          "IAM ARNs have none",
		"arn:aws:iam::111122223333:role/a":                                                 "not the ARN",
		"arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/a":               "not the ARN",
		"arn:aws:acm:us-west-2:111122223333:certificate/" + strings.Repeat("a", maxLength): "longer",
	} {
		a, err := Certificate(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("Certificate(%q): %v", text, err)
		case want == "" && a.String() != text:
			t.Errorf("Certificate(%q) reads back as %q", text, a)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("Certificate(%q) = %v, want an error with %q", text, err, want)
		}
	}
}

func TestRole(t *testing.T) {
	if _, err := Role("arn:aws:iam::444455556666:role/certdrift/member"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{
		"role/x", "arn:aws:iam::444455556666:user/x", "arn:aws:iam:::role/x", "arn:aws:sts::444455556666:role/x",
	} {
		if _, err := Role(text); err == nil {
			t.Errorf("Role(%q) passes", text)
		}
	}
}

// TestOwners checks the ARNs of the load balancer and the listener in those of listeners and rules, and what names them.
func TestOwners(t *testing.T) {
	const (
		prefix   = "arn:aws:elasticloadbalancing:us-west-2:111122223333:"
		balancer = prefix + "loadbalancer/app/web/50dc6c495c0c9188"
		listener = prefix + "listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
		rule     = prefix + "listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
		classic  = prefix + "loadbalancer/a22e1d63"
	)
	for _, c := range []struct{ what, got, want string }{
		{"the listener's load balancer", LoadBalancerOf(listener), balancer},
		{"the load balancer's", LoadBalancerOf(balancer), ""},
		{"that of text", LoadBalancerOf("listener/app/web/1/2"), ""},
		{"the rule's listener", ListenerOf(rule), listener},
		{"the listener's listener", ListenerOf(listener), ""},
		{"short", Short(classic), "elasticloadbalancing us-west-2 loadbalancer/a22e1d63"},
		{"short, global", Short("arn:aws:iam::111122223333:server-certificate/web"), "iam server-certificate/web"},
		{"short text", Short("web"), "web"},
		{"China", Partition("cn-north-1"), "aws-cn"},
		{"GovCloud", Partition("us-gov-west-1"), "aws-us-gov"},
		{"Brandenburg", Partition("eusc-de-east-1"), "aws-eusc"},
		{"Oregon", Partition("us-west-2"), "aws"},
		{"China's console", Console("cn-north-1"), "cn-north-1.console.amazonaws.cn"},
		{"GovCloud's console", Console("us-gov-west-1"), "us-gov-west-1.console.amazonaws-us-gov.com"},
		{"Brandenburg's console", Console("eusc-de-east-1"), "eusc-de-east-1.console.amazonaws-eusc.eu"},
		{"Oregon's console", Console("us-west-2"), "us-west-2.console.aws.amazon.com"},
		{"a listener's page", ListenerPage("us-west-2", listener, "web"), "https://us-west-2.console.aws.amazon.com/ec2/home?region=us-west-2#ELBListenerV2:listenerArn=" + listener},
		{"China's", ListenerPage("cn-north-1", "", "web"), "https://cn-north-1.console.amazonaws.cn/ec2/home?region=cn-north-1#LoadBalancers:search=web"},
		{"a classic one's", ListenerPage("us-gov-west-1", classic, "a22e1d63"), "https://us-gov-west-1.console.amazonaws-us-gov.com/ec2/home?region=us-gov-west-1#LoadBalancers:search=a22e1d63"},
		{"nowhere's", ListenerPage("", listener, "web"), ""},
		{"a hostile region's", ListenerPage("x.example.org/us-west-2", listener, "web"), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	for nameOrARN, want := range map[string]bool{"web": true, balancer: true, classic: false, listener: false, "": false} {
		if NamesLoadBalancer(nameOrARN, "web") != want {
			t.Errorf("NamesLoadBalancer(%q, web) = %t", nameOrARN, !want)
		}
	}
}

func TestSameServerCertificate(t *testing.T) {
	const web = "arn:aws:iam::111122223333:server-certificate/web"
	for other, want := range map[string]bool{
		web: true, "arn:aws:iam::111122223333:server-certificate/tls/web": true,
		"arn:aws:iam::111122223333:server-certificate/tls/ui": false, "arn:aws:iam::444455556666:server-certificate/web": false,
		"arn:aws-cn:iam::111122223333:server-certificate/web": false, "web": false,
	} {
		if SameServerCertificate(web, other) != want {
			t.Errorf("SameServerCertificate(…, %q) = %t", other, !want)
		}
	}
}

func TestRegion(t *testing.T) {
	for text, want := range map[string]bool{
		"us-west-2": true, "us-gov-east-1": true, "mx-central-1": true, "us-iso-east-1": true,
		"": false, "us-west": false, "us-west-": false, "US-west-2": false, "us--2": false, "us-west-2a": false,
	} {
		if Region(text) != want {
			t.Errorf("Region(%q) = %t", text, !want)
		}
	}
}

// FuzzParse: whatever parses reads back as it was written, and again as the same value.
func FuzzParse(f *testing.F) {
	f.Add("arn:aws:acm:us-west-2:111122223333:certificate/0b7d2f3a")
	f.Add("arn:aws:iam::111122223333:server-certificate/a/b:c")
	f.Add("arn:::::")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse(text)
		if err != nil {
			return
		}
		if a.String() != text {
			t.Fatalf("Parse(%q) reads back as %q", text, a)
		}
		if _, err := Certificate(text); err == nil && a.Account == "" {
			t.Fatalf("%q passes as a certificate without an account", text)
		}
	})
}
