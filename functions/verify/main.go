// Command verify is the Lambda function behind a deployment's gate: a pipeline, a state machine or a lifecycle hook of
// CodeDeploy asks it whether every endpoint is clean, and it waits until that is so or the time is up.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"certdrift/internal/awsio/hook"
	"certdrift/internal/boot"
)

func main() {
	verifier, err := boot.Verify(context.Background(), os.Getenv, hook.New)
	if err != nil {
		boot.NewLogger().Error("starting", "error", err)
		os.Exit(1)
	}
	lambda.Start(verifier.Handle)
}
