package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"certdrift/internal/target"
)

// scalar is a type that parses the text of a YAML scalar. The error says what is wrong with the text, in a sentence that
// begins with the key; hint describes the expected form.
type scalar interface {
	parse(text string) error
	hint() string
}

// Duration is a time span as people write it: 10s, 24h, 21d, 1d12h.
type Duration time.Duration

func (*Duration) hint() string { return "write a number with a unit: 500ms, 10s, 5m, 24h, 21d" }

func (d *Duration) parse(text string) error {
	parsed, err := ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// ParseDuration parses Go's durations, optionally with weeks and days before them: 500ms, 10s, 24h, 21d, 2w. Durations must
// be positive and have no plus sign.
func ParseDuration(text string) (time.Duration, error) {
	if strings.HasPrefix(text, "+") {
		return 0, errors.New("is not a duration")
	}
	var total time.Duration
	rest := text
	for _, unit := range []struct {
		letter string
		span   time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		count, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(count, 64)
		if err != nil || strings.Trim(count, "0123456789.") != "" || n*float64(unit.span) > float64(math.MaxInt64/4) {
			return 0, errors.New("is not a duration")
		}
		total += time.Duration(n * float64(unit.span))
		rest = after
	}
	if rest != "" || total == 0 {
		d, err := time.ParseDuration(rest)
		if err != nil || d > math.MaxInt64/4 {
			return 0, errors.New("is not a duration")
		}
		total += d
	}
	if total <= 0 {
		return 0, errors.New("is not greater than zero")
	}
	return total, nil
}

// Threshold is a share of a certificate's lifetime (25%) or a duration (21d); one of the two is zero.
type Threshold struct {
	Share    float64
	Duration time.Duration
}

func (*Threshold) hint() string {
	return "write a percentage of the certificate's lifetime, such as 25%, or a duration, such as 21d"
}

func (t *Threshold) parse(text string) error {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		number = strings.TrimRight(number, " ")
		n, err := strconv.ParseFloat(number, 64) // accepts 1e1, 0x19p0 and 2_5 too
		if err != nil || strings.Trim(number, "0123456789.") != "" || n <= 0 || n >= 100 {
			return errors.New("is not a percentage between 0% and 100%")
		}
		t.Share = n / 100
		return nil
	}
	var err error
	if t.Duration, err = ParseDuration(text); err != nil {
		return errors.New("is neither a percentage nor a duration")
	}
	return nil
}

// Size is a number of bytes: 65536, 64KiB, 1MB.
type Size int64

func (*Size) hint() string { return "write a number of bytes, or one with a unit: 64KiB, 1MB" }

func (s *Size) parse(text string) error {
	number := strings.TrimRight(text, "kKMGiB")
	factor, ok := map[string]int64{
		"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	}[text[len(number):]]
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if !ok || err != nil || n <= 0 || n > math.MaxInt64/factor {
		return errors.New("is not a size")
	}
	*s = Size(n * factor)
	return nil
}

// Redirects is a number of redirects: 0 to target.MaxRedirects; none is 0.
type Redirects int

func (*Redirects) hint() string {
	return fmt.Sprintf("write a number from 0 to %d, or none", target.MaxRedirects)
}

func (r *Redirects) parse(text string) error {
	if strings.EqualFold(text, "none") {
		*r = 0
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || n > target.MaxRedirects {
		return errors.New("is not a number of redirects")
	}
	*r = Redirects(n)
	return nil
}

// Time is an instant: RFC 3339, or a date for midnight UTC.
type Time struct{ time.Time }

func (*Time) hint() string { return "write it as 2027-01-01T00:00:00Z, or as a date: 2027-01-01" }

func (t *Time) parse(text string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if parsed, err := time.Parse(layout, text); err == nil {
			t.Time = parsed
			return nil
		}
	}
	return errors.New("is not a time")
}

// Clock is a time of day, as the time since midnight.
type Clock time.Duration

func (*Clock) hint() string { return `write hours and minutes in quotes: "02:00"` }

func (c *Clock) parse(text string) error {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return errors.New("is not a time of day")
	}
	*c = Clock(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
	return nil
}

// Weekday is a day of the week.
type Weekday time.Weekday

func (*Weekday) hint() string { return "write mon, tue, wed, thu, fri, sat or sun" }

func (d *Weekday) parse(text string) error {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := strings.ToLower(day.String()); strings.ToLower(text) == name || strings.ToLower(text) == name[:3] {
			*d = Weekday(day)
			return nil
		}
	}
	return errors.New("is not a day of the week")
}

// Scalar is any text, number or boolean, as text.
type Scalar struct{ Text *string }

func (*Scalar) hint() string { return "write text, a number, true or false" }

func (s *Scalar) parse(text string) error {
	if len(text) > 1<<16 {
		return fmt.Errorf("is longer than %d bytes", 1<<16)
	}
	s.Text = &text
	return nil
}
