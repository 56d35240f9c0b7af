package hook

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// deployments is a CodeDeploy that keeps the answers of its hooks' executions, by deployment and execution; empty for
// one that waits.
type deployments map[string]types.LifecycleEventStatus

func (d deployments) PutLifecycleEventHookExecutionStatus(_ context.Context, in *codedeploy.PutLifecycleEventHookExecutionStatusInput, _ ...func(*codedeploy.Options)) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error) {
	key := *in.DeploymentId + "/" + *in.LifecycleEventHookExecutionId
	status, known := d[key]
	switch {
	case !known:
		return nil, &types.DeploymentDoesNotExistException{}
	case status != "":
		return nil, &types.LifecycleEventAlreadyCompletedException{}
	}
	d[key] = in.Status
	return &codedeploy.PutLifecycleEventHookExecutionStatusOutput{}, nil
}

func TestPut(t *testing.T) {
	world := deployments{"d-1/good": "", "d-1/bad": "", "d-1/old": types.LifecycleEventStatusFailed}
	h := hook{world}
	for execution, ok := range map[string]bool{"good": true, "bad": false, "old": true} {
		if err := h.put(t.Context(), "d-1", execution, ok); err != nil {
			t.Errorf("%s: %v", execution, err)
		}
	}
	want := deployments{"d-1/good": types.LifecycleEventStatusSucceeded, "d-1/bad": types.LifecycleEventStatusFailed, "d-1/old": types.LifecycleEventStatusFailed}
	for key, status := range want {
		if world[key] != status {
			t.Errorf("%s is %q, want %q", key, world[key], status)
		}
	}
	if err := h.put(t.Context(), "d-2", "good", true); err == nil || !strings.Contains(err.Error(), `"d-2"`) {
		t.Errorf("a deployment that does not exist: %v", err)
	}
}
