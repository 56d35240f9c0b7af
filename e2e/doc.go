// Package e2e deploys certdrift to an emulated account on loopback and runs it there: the template through CloudFormation, and
// the functions' own binaries through a small Lambda Runtime API, with the environment and permissions of the deployed stack.
// `make e2e` installs what it needs; without that, its tests are skipped.
//
// # What is real and what is emulated
//
// Real: template.yaml and infra/, the Serverless transform (samtranslator), the packages built by `make build-…`, the bootstrap
// binaries, the command line, the AWS CLI that runs the command from an alert and, with openssl and curl, every command in the
// runbook, the AWS SDK on the wire, and TLS servers for what the load balancers serve. Emulated by moto: ACM, IAM, STS, both load
// balancer APIs, SNS, SQS, DynamoDB, S3, EventBridge rules, CloudFormation.
//
// A small server of this package in front of moto adds what moto lacks:
//   - CloudWatch: the Go SDK sends CBOR, moto expects JSON; the front translates.
//   - CloudTrail LookupEvents: answered from the events that the test delivered.
//   - EventBridge PutEvents and CodeDeploy PutLifecycleEventHookExecutionStatus: answered, and recorded for the tests.
//   - IAM: moto does not support policies that name resources, so the front evaluates every call of a function against the
//     policies of its deployed role (actions, resources and cloudwatch:namespace) and denies it as AWS does.
//
// emulator.py extends moto's CloudFormation (subscriptions, alarms, outputs of nested stacks), and its listeners keep their SNI list when they
// are modified. What SNS would send by email and SMS,
// and to functions, goes to queues. Not checked: the permissions of a member account's role. Not emulated: topic policies, queue
// policies and asynchronous invocation settings, which cfn-lint checks. moto evaluates no alarms: the tests check that each alarm
// names a metric that the functions really write. The package matches EventBridge events itself, against the deployed rules.
// Function packages are built for the local architecture.
package e2e
