package certtest

import "testing"

func TestContradiction(t *testing.T) {
	const (
		reattach = "Reattach the declared certificate (certificate/5e91…):\naws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a1 --load-balancer-port 443 --ssl-certificate-id arn:1"
		another  = "If it is, attach the certificate once more:\naws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a1 --load-balancer-port 443 --ssl-certificate-id arn:2"
		other    = "aws elb set-load-balancer-listener-ssl-certificate --region us-west-2 --load-balancer-name a2 --load-balancer-port 443 --ssl-certificate-id arn:2"
		add      = "aws elbv2 add-listener-certificates --region us-west-2 --listener-arn l1 --certificates CertificateArn=arn:1"
		remove   = "aws elbv2 remove-listener-certificates --region us-west-2 --listener-arn l1 --certificates CertificateArn=arn:1"
		modify   = "aws elbv2 modify-listener --region us-west-2 --listener-arn l1 --certificates CertificateArn=arn:"
		renew    = "Renew the certificate; if a newer one is already installed, reload the server that still serves the old one."
	)
	for name, c := range map[string]struct {
		remedies []string
		bad      bool
	}{
		"none":                         {nil, false},
		"one":                          {[]string{reattach}, false},
		"the same twice":               {[]string{reattach, reattach}, false},
		"two listeners":                {[]string{reattach, other}, false},
		"two certificates":             {[]string{reattach, another}, true},
		"two defaults":                 {[]string{modify + "1", modify + "2"}, true},
		"added and removed":            {[]string{add, remove}, true},
		"reattached and renewed":       {[]string{reattach, renew}, true},
		"renewed":                      {[]string{renew, "Send the chain."}, false},
		"reattached and imported":      {[]string{reattach, "It is in ACM: then import the new one under the same ARN"}, true},
		"to be left and to be changed": {[]string{"Leave the listener as it is: what is attached covers the name.", reattach}, true},
	} {
		if got := Contradiction(c.remedies); (got != "") != c.bad {
			t.Errorf("%s: %q", name, got)
		}
	}
}
