// Command worker is the Lambda function that probes a part of the endpoints for the probe function, where one function is not
// enough. It needs no permission but to write its log.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"certdrift/internal/boot"
)

func main() { lambda.Start(boot.Worker(os.Getenv).Handle) }
