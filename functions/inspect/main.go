// Command inspect is the Lambda function that holds listeners against what is declared and served: on a schedule, and when
// CloudTrail or ACM tells of a change.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"certdrift/internal/boot"
)

func main() {
	function, err := boot.Inspect(context.Background(), os.Getenv)
	if err != nil {
		slog.Error("starting", "error", err)
		os.Exit(1)
	}
	lambda.Start(function.Handle)
}
