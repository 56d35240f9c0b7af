package boot

import (
	"context"
	"errors"
	"reflect"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// errHollow is the error of a successful response without content. The SDK takes an empty body for a result without any field: a
// region without load balancers, a table without incidents. AWS's own responses have at least an empty list.
var errHollow = errors.New("the response was successful and had no content, which proves nothing")

// refuseHollow makes an error of such a response to a call that reads.
func refuseHollow(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("RefuseHollow", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if err == nil && reads(awsmiddleware.GetOperationName(ctx)) && isZero(out.Result) {
			err = errHollow
		}
		return out, metadata, err
	}), middleware.Before)
}

// reads reports whether a call's response always has content. An item that is not there has none (GetItem), and of alarms that are not there
// it is not documented: that they are reported as deleted is the lesser evil.
func reads(operation string) bool {
	if operation == "GetItem" || operation == "DescribeAlarms" {
		return false
	}
	for _, verb := range []string{"Describe", "List", "Get", "Scan", "Lookup", "Assume"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

func isZero(result any) bool {
	v := reflect.ValueOf(result)
	return !v.IsValid() || v.Kind() == reflect.Pointer && (v.IsNil() || v.Elem().IsZero())
}
