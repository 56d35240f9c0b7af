// Package hook reports to CodeDeploy how a lifecycle hook ended, so that a deployment continues or is rolled back.
package hook

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

type putter interface {
	PutLifecycleEventHookExecutionStatus(context.Context, *codedeploy.PutLifecycleEventHookExecutionStatusInput, ...func(*codedeploy.Options)) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error)
}

type hook struct{ client putter }

// New returns the function that reports whether a hook's execution succeeded. An execution that was answered already stays
// as it is: CodeDeploy invokes a hook again when an answer comes late.
func New(cfg aws.Config) func(ctx context.Context, deployment, execution string, succeeded bool) error {
	return hook{codedeploy.NewFromConfig(cfg)}.put
}

// put answers for an execution.
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
func (h hook) put(ctx context.Context, deployment, execution string, succeeded bool) error {
	status := types.LifecycleEventStatusFailed
	if succeeded {
		status = types.LifecycleEventStatusSucceeded
	}
	_, err := h.client.PutLifecycleEventHookExecutionStatus(ctx, &codedeploy.PutLifecycleEventHookExecutionStatusInput{
		DeploymentId: &deployment, LifecycleEventHookExecutionId: &execution, Status: status,
	})
	if _, answered := errors.AsType[*types.LifecycleEventAlreadyCompletedException](err); answered {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reporting to CodeDeploy how the hook of deployment %q ended: %w", deployment, err)
	}
	return nil
}
