package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"certdrift/internal/judge"
)

// statusError ends a command with an exit status when everything has already been printed.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// status returns the error for an exit status; nil for success.
func status(code int) error {
	if code == 0 {
		return nil
	}
	return statusError(code)
}

// usageError is a mistake of the caller's: exit status 2, and a hint at how to correct it.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// Hint says how to correct it.
func (e *usageError) Hint() string { return e.hint }

// unseenError is what could not be seen for a reason that a hint helps against: exit status 3.
type unseenError struct {
	error
	hint string
}

// Hint says what to do about it.
func (e *unseenError) Hint() string { return e.hint }

// hintOf returns the hint of the outermost error that has one, and of one about credentials what to do without; empty if there is none.
func hintOf(err error) string {
	var hinting interface{ Hint() string }
	var credentials interface{ WithoutCredentials() bool }
	switch {
	case errors.As(err, &hinting) && hinting.Hint() != "":
		return hinting.Hint()
	case errors.As(err, &credentials) && credentials.WithoutCredentials():
		return judge.SignIn
	}
	return ""
}

func usage(hint, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), hint}
}

// wrongFlag turns pflag's errors into usage errors, with the nearest flag for one that does not exist.
func wrongFlag(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			hint = fmt.Sprintf("did you mean --%s?", near)
		}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "duration" {
		hint = durationHint(invalid.GetValue())
	}
	return &usageError{err, hint}
}

func unknownCommand(cmd *cobra.Command, word string) error {
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	if strings.Contains(word, "://") {
		hint = fmt.Sprintf("to probe a URL: `certdrift check %s`", word)
	} else {
		var names []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name())
			}
		}
		if near := nearest(word, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
	return usage(hint, "unknown command %q", word)
}

// noArgs is cobra.NoArgs as a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Sprintf("see `%s --help`", cmd.CommandPath()), "%s takes no arguments, but got %q", cmd.CommandPath(), args[0])
	}
	return nil
}
