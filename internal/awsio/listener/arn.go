package listener

import (
	"strings"

	"certdrift/internal/arn"
)

func accountOf(role string) string {
	a, _ := arn.Split(role)
	return a.Account
}

// classicARN makes the ARN of a classic load balancer, which the API does not return.
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
