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
		"arn:aws:acm:us-west-2:111122223333": "needs six",
		"arn:azure:acm:us-west-2:111122223333:certificate/a":                               "partition",
		"arn:aws::us-west-2:111122223333:certificate/a":                                    "no service",
		"arn:aws:acm:uswest2:111122223333:certificate/a":                                   "region that is none",
		"arn:aws:acm::111122223333:certificate/a":                                          "without a region",
		"arn:aws:acm:us-west-2:1111:certificate/a":                                         "twelve digits",
		"arn:aws:acm:us-west-2::certificate/a":                                             "no account",
		"arn:aws:acm:us-west-2:111122223333:":                                              "no resource",
		"arn:aws:acm:us-west-2:111122223333:certificate/":                                  "neither",
		"arn:aws:acm:us-west-2:111122223333:certificate/…":                                 "printable ASCII",
		"arn:aws:iam:us-east-1:111122223333:server-certificate/a":                          "IAM has none",
		"arn:aws:iam::111122223333:role/a":                                                 "neither",
		"arn:aws:elasticloadbalancing:us-west-2:111122223333:loadbalancer/a":               "neither",
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
