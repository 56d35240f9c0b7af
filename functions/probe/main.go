// Command probe is the Lambda function that probes every endpoint on a schedule. Where a certificate has a problem it
// reads the load balancer in front too, so that the first alert names the cause.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"certdrift/internal/boot"
)

func main() {
	function, err := boot.Probe(context.Background(), os.Getenv)
	if err != nil {
		boot.NewLogger().Error("starting", "error", err)
		os.Exit(1)
	}
	lambda.Start(function.Handle)
}
