// Package arn parses the Amazon Resource Names of certificates, roles, topics, listeners and load balancers. It is pure, and
// the only package that splits ARNs.
package arn

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// maxLength bounds an ARN, in bytes; AWS's own bound for any service is 2048.
const maxLength = 2048

// ARN is a parsed Amazon Resource Name: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
type ARN struct {
	Partition string // aws, aws-cn, aws-us-gov, …
	Service   string
	Region    string // empty for global services (iam)
	Account   string // twelve digits; empty where the service has none
	Resource  string // the rest, colons included
}

// String returns the ARN as it was read.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Split splits an ARN that AWS returned, without checking its parts; ok is false if text is not an ARN. Parse is for what
// people write: it checks every part.
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
		return ARN{}, fmt.Errorf("has %d parts separated by colons instead of six", strings.Count(text, ":")+1)
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

// IsCertificate reports whether the ARN is of an ACM certificate or an IAM server certificate.
func (a ARN) IsCertificate() bool {
	return a.Service == "acm" && strings.HasPrefix(a.Resource, "certificate/") ||
		a.Service == "iam" && strings.HasPrefix(a.Resource, "server-certificate/")
}

// LoadBalancerOf returns the ARN of a listener's load balancer; empty if listener is not the ARN of a listener.
// …:listener/app/NAME/ID/LISTENER belongs to …:loadbalancer/app/NAME/ID.
func LoadBalancerOf(listener string) string { return owner(listener, "listener", "loadbalancer", 5) }

// ListenerOf returns the ARN of a rule's listener; empty if rule is not the ARN of a rule.
// …:listener-rule/app/NAME/ID/LISTENER/RULE belongs to …:listener/app/NAME/ID/LISTENER.
func ListenerOf(rule string) string { return owner(rule, "listener-rule", "listener", 6) }

func owner(text, kind, ownerKind string, count int) string {
	a, ok := Split(text)
	parts := strings.Split(a.Resource, "/")
	if !ok || len(parts) != count || parts[0] != kind {
		return ""
	}
	a.Resource = ownerKind + "/" + strings.Join(parts[1:count-1], "/")
	return a.String()
}

// Short returns the ARN without what all ARNs share: its service, region and resource remain. Other texts stay as they are.
func Short(text string) string {
	a, ok := Split(text)
	switch {
	case !ok:
		return text
	case a.Region == "":
		return a.Service + " " + a.Resource
	}
	return a.Service + " " + a.Region + " " + a.Resource
}

// Partition returns the partition that a region belongs to.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}

// Console returns the host of the AWS console for a region.
func Console(region string) string {
	domain := map[string]string{
		"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com", "aws-eusc": "console.amazonaws-eusc.eu",
	}[Partition(region)]
	if domain == "" {
		domain = "console.aws.amazon.com"
	}
	return region + "." + domain
}

// ListenerPage returns the console's page of a listener; for a classic load balancer, which has no such page, the list of load balancers
// with this one selected. It is empty without a region.
func ListenerPage(region, listenerARN, balancer string) string {
	page := "#LoadBalancers:search=" + url.QueryEscape(balancer)
	if a, ok := Split(listenerARN); ok && strings.HasPrefix(a.Resource, "listener/") {
		page = "#ELBListenerV2:listenerArn=" + listenerARN
	}
	if !Region(region) || balancer == "" {
		return ""
	}
	return "https://" + Console(region) + "/ec2/home?region=" + url.QueryEscape(region) + page
}

// partition reports whether text has the form of a partition: "aws", or "aws" with lowercase words after it. AWS adds partitions (aws-eusc
// in 2025), so no list is kept.
func partition(text string) bool {
	words, ok := strings.CutPrefix(text, "aws")
	if !ok || words != "" && words[0] != '-' {
		return false
	}
	for _, word := range strings.Split(words, "-")[1:] {
		if word == "" || !made(word, lower) {
			return false
		}
	}
	return true
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func (a ARN) check() error {
	switch {
	case !partition(a.Partition):
		return errors.New("has no valid partition in its second part, such as aws, aws-cn or aws-us-gov")
	case !made(a.Service, lower+"-") || a.Service == "":
		return errors.New("has no service in its third part")
	case a.Region != "" && !Region(a.Region):
		return errors.New("has no valid region in its fourth part")
	case a.Account != "" && (len(a.Account) != 12 || !made(a.Account, digits)):
		return errors.New("has an account that is not twelve digits")
	case a.Resource == "":
		return errors.New("has no resource after the fifth colon")
	}
	for _, r := range a.Resource {
		if r <= ' ' || r > '~' {
			return errors.New("contains a space or a character that is not printable ASCII")
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
		return ARN{}, errors.New("has no account in its fifth part")
	}
	switch kind, name, _ := strings.Cut(a.Resource, "/"); {
	case a.Service == "acm" && a.Region == "":
		return ARN{}, errors.New("is of an ACM certificate but has no region")
	case a.Service == "acm" && kind == "certificate" && made(name, lower+digits+"-") && name != "":
		return a, nil
	case a.Service == "iam" && a.Region != "":
		return ARN{}, errors.New("is of an IAM certificate but has a region: IAM ARNs have none")
	case a.Service == "iam" && kind == "server-certificate" && name != "" && !strings.HasSuffix(name, "/"):
		return a, nil
	}
	return ARN{}, errors.New("is not the ARN of an ACM certificate or an IAM server certificate")
}

// Role reads the ARN of an IAM role.
func Role(text string) (ARN, error) {
	a, err := Parse(text)
	if err != nil {
		return ARN{}, err
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	if a.Service != "iam" || a.Region != "" || a.Account == "" || kind != "role" || name == "" {
		return ARN{}, errors.New("is not the ARN of an IAM role")
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
