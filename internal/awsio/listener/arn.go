package listener

import "strings"

// parsed is an ARN in its parts: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.
type parsed struct{ partition, service, region, account, resource string }

func parseARN(arn string) (parsed, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return parsed{}, false
	}
	return parsed{parts[1], parts[2], parts[3], parts[4], parts[5]}, true
}

func accountOf(arn string) string {
	p, _ := parseARN(arn)
	return p.account
}

// balancerName is the name in a load balancer's ARN: …:loadbalancer/NAME (classic), …:loadbalancer/app/NAME/ID.
func (p parsed) balancerName() string {
	parts := strings.Split(p.resource, "/")
	switch {
	case p.service != "elasticloadbalancing" || parts[0] != "loadbalancer":
		return ""
	case len(parts) == 2:
		return parts[1]
	case len(parts) == 4:
		return parts[2]
	}
	return ""
}

// classicARN makes the ARN of a classic load balancer, which the API does not give.
func classicARN(region, account, name string) string {
	return "arn:" + partition(region) + ":elasticloadbalancing:" + region + ":" + account + ":loadbalancer/" + name
}

// partition is the part of AWS that a region belongs to.
func partition(region string) string {
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
