// Package hook tells CodeDeploy how a lifecycle hook ended, so that a deployment goes on or is rolled back.
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

// Hook answers lifecycle hooks.
type Hook struct{ client putter }

// New makes a Hook.
func New(cfg aws.Config) *Hook { return &Hook{codedeploy.NewFromConfig(cfg)} }

// Put says whether the hook's execution succeeded. An execution that was answered already stays as it is: CodeDeploy
// invokes a hook again when an answer comes late.
// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
func (h *Hook) Put(ctx context.Context, deployment, execution string, succeeded bool) error {
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
		return fmt.Errorf("telling CodeDeploy how the hook of deployment %q ended: %w", deployment, err)
	}
	return nil
}
