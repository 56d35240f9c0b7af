// Command widget is the Lambda function behind the dashboard's inventory: it probes and reads, alerts nobody, and returns
// a table as HTML.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"certdrift/internal/boot"
)

func main() {
	widget, err := boot.Widget(context.Background(), os.Getenv)
	if err != nil {
		boot.NewLogger().Error("starting", "error", err)
		os.Exit(1)
	}
	lambda.Start(widget.Handle)
}
