//go:build !lambda

package boot

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"certdrift/internal/awsio/listener"
)

// settings reads the SDK's own configuration: environment, profiles, single sign-on, roles, AWS_ENDPOINT_URL.
func settings(ctx context.Context) (aws.Config, error) {
	return awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRetryer(listener.Retryer))
}
