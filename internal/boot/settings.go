//go:build !lambda

package boot

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"certdrift/internal/awsio/listener"
)

// settings reads the SDK's own configuration: environment, profiles, single sign-on, roles, AWS_ENDPOINT_URL. What the SDK logs of its
// attempts to find credentials is left out: what comes of them is reported.
func settings(ctx context.Context) (aws.Config, error) {
	made, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRetryer(listener.Retryer), awsconfig.WithLogger(logging.Nop{}))
	if err != nil {
		return aws.Config{}, settingsError(err)
	}
	return made, nil
}

// SettingsError is a mistake in the AWS configuration of the machine.
type SettingsError struct {
	err  error
	hint string
}

// Error implements error.
func (e *SettingsError) Error() string { return e.err.Error() }

// Unwrap returns what the SDK said.
func (e *SettingsError) Unwrap() error { return e.err }

// Hint says how to correct it.
func (e *SettingsError) Hint() string { return e.hint }

func settingsError(err error) error {
	var profile awsconfig.SharedConfigProfileNotExistError
	var token awsconfig.AssumeRoleTokenProviderNotSetError
	var file awsconfig.SharedConfigLoadError
	switch {
	case errors.As(err, &profile):
		return &SettingsError{
			fmt.Errorf("there is no AWS profile %q: %w", profile.Profile, err),
			"`aws configure list-profiles` lists them; set AWS_PROFILE to one of them, or correct the source_profile that names it",
		}
	case errors.As(err, &token):
		return &SettingsError{
			fmt.Errorf("the AWS profile asks for an MFA code: %w", err),
			"let the AWS CLI ask for it: eval \"$(aws configure export-credentials --format env)\"; unset AWS_PROFILE",
		}
	case errors.As(err, &file):
		return &SettingsError{err, "correct the file; AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say which are read"}
	}
	return err
}
