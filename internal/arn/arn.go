// Package arn parses the Amazon Resource Names that certdrift meets: certificates, roles, topics and load balancers. It is
// pure, and the only place that takes an ARN apart.
package arn

import (
	"errors"
	"fmt"
	"strings"
)

// maxLength bounds an ARN, in bytes; AWS's own bound for any service is 2048.
const maxLength = 2048

// ARN is a parsed Amazon Resource Name: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
type ARN struct {
	Partition string // aws, aws-cn, aws-us-gov
	Service   string
	Region    string // empty for global services (iam)
	Account   string // twelve digits; empty where the service has none
	Resource  string // the rest, colons included
}

// String returns the ARN as it was read.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Split takes an ARN of AWS's own apart without checking its parts; ok is false for what is no ARN. Parse checks what
// people write.
func Split(text string) (a ARN, ok bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return ARN{}, false
	}
	return ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, true
}

// Parse reads and checks an ARN. Errors say what is wrong and never repeat the text.
func Parse(text string) (ARN, error) {
	if len(text) > maxLength {
		return ARN{}, fmt.Errorf("is longer than %d characters", maxLength)
	}
	if !strings.HasPrefix(text, "arn:") {
		return ARN{}, errors.New(`does not begin with "arn:"`)
	}
	a, ok := Split(text)
	if !ok {
		return ARN{}, fmt.Errorf("has %d parts between colons, and needs six", strings.Count(text, ":")+1)
	}
	return a, a.check()
}

// LoadBalancer returns the name in a load balancer's ARN: loadbalancer/NAME for a classic one, loadbalancer/app/NAME/ID and
// loadbalancer/net/NAME/ID for the others. It is empty for any other ARN.
func (a ARN) LoadBalancer() string {
	parts := strings.Split(a.Resource, "/")
	switch {
	case a.Service != "elasticloadbalancing" || parts[0] != "loadbalancer":
		return ""
	case len(parts) == 2:
		return parts[1]
	case len(parts) == 4:
		return parts[2]
	}
	return ""
}

// NamesLoadBalancer reports whether nameOrARN, a load balancer's name or ARN, is that of the load balancer called name.
func NamesLoadBalancer(nameOrARN, name string) bool {
	if nameOrARN == name {
		return true
	}
	a, ok := Split(nameOrARN)
	return ok && name != "" && a.LoadBalancer() == name
}

// SameServerCertificate reports whether two ARNs are of IAM server certificates that have one name, whatever their paths. An
// account has a name once: DeleteServerCertificate takes no path (IAM API Reference).
func SameServerCertificate(a, b string) bool {
	x, okX := Split(a)
	y, okY := Split(b)
	const kind = "server-certificate/"
	return okX && okY && strings.HasPrefix(x.Resource, kind) && strings.HasPrefix(y.Resource, kind) &&
		x.Partition == y.Partition && x.Service == y.Service && x.Account == y.Account && lastPart(x.Resource) == lastPart(y.Resource)
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func (a ARN) check() error {
	switch a.Partition {
	case "aws", "aws-cn", "aws-us-gov":
	default:
		return errors.New("names a partition other than aws, aws-cn and aws-us-gov")
	}
	switch {
	case !made(a.Service, lower+"-") || a.Service == "":
		return errors.New("names no service in its third part")
	case a.Region != "" && !Region(a.Region):
		return errors.New("names a region that is none in its fourth part")
	case a.Account != "" && (len(a.Account) != 12 || !made(a.Account, digits)):
		return errors.New("has an account that is not twelve digits")
	case a.Resource == "":
		return errors.New("names no resource after the fifth colon")
	}
	for _, r := range a.Resource {
		if r <= ' ' || r > '~' {
			return errors.New("has a character that is not printable ASCII, or a space")
		}
	}
	return nil
}

// Certificate reads the ARN of an ACM certificate or an IAM server certificate, the two that listeners take.
func Certificate(text string) (ARN, error) {
	a, err := Parse(text)
	if err != nil {
		return ARN{}, err
	}
	if a.Account == "" {
		return ARN{}, errors.New("names no account in its fifth part")
	}
	switch kind, name, _ := strings.Cut(a.Resource, "/"); {
	case a.Service == "acm" && a.Region == "":
		return ARN{}, errors.New("is an ACM certificate's without a region")
	case a.Service == "acm" && kind == "certificate" && made(name, lower+digits+"-") && name != "":
		return a, nil
	case a.Service == "iam" && a.Region != "":
		return ARN{}, errors.New("is an IAM certificate's with a region: IAM has none")
	case a.Service == "iam" && kind == "server-certificate" && name != "" && !strings.HasSuffix(name, "/"):
		return a, nil
	}
	return ARN{}, errors.New("is neither an ACM certificate's nor an IAM server certificate's")
}

// Role reads the ARN of an IAM role.
func Role(text string) (ARN, error) {
	a, err := Parse(text)
	if err != nil {
		return ARN{}, err
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	if a.Service != "iam" || a.Region != "" || a.Account == "" || kind != "role" || name == "" {
		return ARN{}, errors.New("is not an IAM role's")
	}
	return a, nil
}

// Region reports whether text has the form of a region's name: "us-west-2", "us-gov-east-1", "ap-southeast-5".
func Region(text string) bool {
	words := strings.Split(text, "-")
	if len(words) < 3 || len(text) > 32 {
		return false
	}
	last := len(words) - 1
	for _, w := range words[:last] {
		if w == "" || !made(w, lower) {
			return false
		}
	}
	return words[last] != "" && made(words[last], digits)
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// made reports whether text consists of the characters of alphabet only.
func made(text, alphabet string) bool {
	return strings.Trim(text, alphabet) == "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune(alphabet, r)
	})
}
