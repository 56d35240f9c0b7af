// Command widget is the Lambda function behind the dashboard's inventory: it probes and reads, tells nobody, and answers
// with a table as HTML.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"certdrift/internal/boot"
)

func main() {
	widget, err := boot.OpenWidget(context.Background(), os.Getenv)
	if err != nil {
		slog.Error("starting", "error", err)
		os.Exit(1)
	}
	lambda.Start(widget.Handle)
}
