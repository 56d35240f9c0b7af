// Command inspect is the Lambda function that compares listeners with what is declared and served: on a schedule, and when
// CloudTrail or ACM reports a change.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"certdrift/internal/boot"
)

func main() {
	function, err := boot.Inspect(context.Background(), os.Getenv)
	if err != nil {
		boot.NewLogger().Error("starting", "error", err)
		os.Exit(1)
	}
	lambda.Start(function.Handle)
}
