// Package e2e deploys certdrift to an emulated account on loopback and runs it there: the template through
// CloudFormation, the functions' own binaries through a small Lambda Runtime API, with the environment and the permissions
// that the deployed stack gives them. `make e2e` sets up what it needs; without that its tests are skipped.
//
// # What is real, and what stands in
//
// Real: template.yaml and infra/, the Serverless transform (samtranslator), the packages that `make build-…` makes, the
// bootstrap binaries, the command line, the AWS CLI that runs the command out of an alert and, with openssl and curl, every
// command of the runbook, the AWS SDK on the wire, TLS servers for what the load balancers serve. Emulated by moto: ACM, IAM, STS, both load balancer APIs, SNS, SQS, DynamoDB,
// S3, EventBridge's rules, CloudFormation.
//
// In front of moto stands a small server of this package. It does what moto lacks:
//   - CloudWatch: the Go SDK speaks CBOR, moto JSON; the front translates.
//   - CloudTrail LookupEvents: answered from the events that the test delivered.
//   - EventBridge PutEvents and CodeDeploy's PutLifecycleEventHookExecutionStatus: answered, and kept for the tests.
//   - IAM: moto never lets a policy allow that names a resource, so the front holds every call of a function against the
//     policies of its deployed role, actions, resources and cloudwatch:namespace alike, and denies as AWS does.
//
// moto's CloudFormation is helped out by emulator.py (subscriptions, alarms, outputs of nested stacks), and what SNS
// would send by email and SMS, and to functions, goes to queues. What a member account's role allows is not held. Topic policies,
// queue policies and asynchronous invocation settings it leaves out; cfn-lint checks those. moto evaluates no alarms: the
// tests hold that each names a metric that the functions really write. EventBridge's matching is done here, over the
// rules as deployed. Packages are built for this machine's architecture.
package e2e
