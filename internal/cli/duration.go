package cli

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"certdrift/internal/config"
)

// parseDuration reads a duration as the configuration writes it, with days and weeks; 0 and negative ones too, which callers may refuse.
func parseDuration(text string) (time.Duration, error) {
	d, err := config.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text)
	}
	if err != nil {
		return 0, errors.New("not a duration")
	}
	return d, nil
}

// duration is a flag's value.
type duration time.Duration

var _ pflag.Value = (*duration)(nil)

// durationFlag is pflag's DurationVar with days.
func durationFlag(flags *pflag.FlagSet, to *time.Duration, name string, byDefault time.Duration, help string) {
	*to = byDefault
	flags.Var((*duration)(to), name, help)
}

// String implements pflag.Value: 5m, not 5m0s. Zero is "0", which pflag does not show as a default.
func (d *duration) String() string {
	if *d == 0 {
		return "0"
	}
	text := time.Duration(*d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Set implements pflag.Value.
func (d *duration) Set(text string) error {
	parsed, err := parseDuration(text)
	*d = duration(parsed)
	return err
}

// Type implements pflag.Value.
func (*duration) Type() string { return "duration" }

// durationHint is how a duration that could not be read is written.
func durationHint(text string) string {
	if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		return "did you mean " + text + "s?"
	}
	return "write a number with a unit: 500ms, 10s, 5m, 24h, 7d"
}
