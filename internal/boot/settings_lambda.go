//go:build lambda

package boot

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"certdrift/internal/awsio/listener"
)

// settings reads what Lambda puts into a function's environment: region, credentials, and endpoints of an emulator
// (AWS_ENDPOINT_URL and its per-service forms). The SDK's own loader knows profiles, single sign-on and instance roles
// too, which no function has, and makes the package half a megabyte larger; the command line uses that one.
func settings(context.Context) (aws.Config, error) {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "Lambda",
			// Lambda may put new ones there; asking again costs nothing.
			CanExpire: true, Expires: time.Now().Add(time.Minute),
		}, nil
	})
	made := aws.Config{
		Region: os.Getenv("AWS_REGION"), Credentials: aws.NewCredentialsCache(credentials), Retryer: listener.Retryer,
		ConfigSources: []any{endpoints{}},
	}
	if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" {
		made.BaseEndpoint = aws.String(url)
	}
	return made, nil
}

// endpoints has the endpoints of single services (AWS_ENDPOINT_URL_CLOUDWATCH).
type endpoints struct{}

// GetServiceBaseEndpoint returns the endpoint that the environment sets for a service.
func (endpoints) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	url := os.Getenv("AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(service), " ", "_"))
	return url, url != "", nil
}
