package listener

import "certdrift/internal/arn"

func accountOf(role string) string {
	a, _ := arn.Split(role)
	return a.Account
}

// classicARN returns the ARN of a classic load balancer, which the API does not return.
func classicARN(region, account, name string) string {
	return "arn:" + arn.Partition(region) + ":elasticloadbalancing:" + region + ":" + account + ":loadbalancer/" + name
}
