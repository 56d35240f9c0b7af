package cost

// PricesOf is when the prices were compared with the pages that are named beside them. They are list prices of us-east-1 in USD, without
// free tiers and discounts.
const PricesOf = "2026-11"

const (
	// https://aws.amazon.com/lambda/pricing/ (arm64)
	lambdaGBSecond = 0.0000133334
	lambdaRequest  = 0.20 / 1e6
	// https://aws.amazon.com/cloudwatch/pricing/: ingestion of standard logs, storage (compressed, 0.03 a GB and month) not counted; alarms
	// by the metrics that they name.
	logsGB         = 0.50
	alarmMetric    = 0.10
	alarmComposite = 0.50
	putMetricData  = 0.01 / 1000
	// https://aws.amazon.com/xray/pricing/
	trace = 5.00 / 1e6
	// https://aws.amazon.com/cloudwatch/pricing/: a canary's run, without its Lambda, logs and S3.
	canaryRun = 0.0012
	// https://aws.amazon.com/route53/pricing/#Health_Checks: an endpoint of AWS, with HTTPS.
	healthCheck = 0.50 + 1.00
	// https://aws.amazon.com/step-functions/pricing/ is in docs/decisions.md.
)
