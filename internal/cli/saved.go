package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"certdrift/internal/finding"
	"certdrift/internal/observation"
	"certdrift/internal/policy"
	"certdrift/internal/target"
)

// savedLimit bounds a file of observations, in bytes: 10,000 endpoints with their chains take a tenth of it.
const savedLimit = 1 << 30

// saved is a file of observations: a round, and the policy it was judged by. Files of other programs may leave that out.
type saved struct {
	observation.Round
	Policy *policy.Thresholds `json:"policy,omitempty"`
}

// save writes what a round saw, for `certdrift judge`. Secrets do not marshal (see target.Secret).
func (s saved) save(path string) error {
	err := replaceFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(s)
	})
	if err != nil {
		return fmt.Errorf("saving the observations: %w", err)
	}
	return nil
}

// readRound reads a saved round. A file of another kind is the caller's mistake.
func readRound(stdin io.Reader, path string) (saved, error) {
	from := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return saved{}, usage("`certdrift check --save FILE` writes one", "reading the observations: %w", err)
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, savedLimit+1))
	if err == nil && len(text) > savedLimit {
		err = fmt.Errorf("larger than %d bytes", savedLimit)
	}
	var seen saved
	if err == nil {
		seen, err = parseRound(text)
	}
	if err != nil {
		return seen, usage("use a file written by `certdrift check --save FILE`", "reading the observations in %q: %w", path, err)
	}
	return seen, nil
}

// parseRound is strict: a fact that is passed over could be the one that matters.
func parseRound(text []byte) (seen saved, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&seen); err != nil {
		return seen, located(text, err)
	}
	if seen.Schema != observation.Schema {
		return seen, fmt.Errorf("its schema is %q, not %q", seen.Schema, observation.Schema)
	}
	if dec.More() {
		return seen, fmt.Errorf("line %d: unexpected data after the document", lineAt(text, dec.InputOffset()))
	}
	if err := once(text, json.NewDecoder(bytes.NewReader(text)), ""); err != nil {
		return seen, err
	}
	return seen, hollow(seen.Round)
}

// located says in which line a fault of JSON is, where encoding/json tells.
func located(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", lineAt(text, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %w", lineAt(text, kind.Offset), err)
	}
	return err
}

func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(max(0, offset), int64(len(text)))], []byte("\n"))
}

// once looks for a name that an object has twice: encoding/json takes the last without a word, and where that is "null"
// a failure is gone. path is where dec stands. The text has been decoded before, which bounds its depth.
func once(text []byte, dec *json.Decoder, path string) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	opening, _ := token.(json.Delim)
	names := map[string]bool{}
	for i := 0; opening != 0 && dec.More(); i++ {
		inner := fmt.Sprintf("%s[%d]", path, i)
		if opening == '{' {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			key, _ := name.(string)
			inner = path + "." + key
			if names[key] {
				return fmt.Errorf("line %d: duplicate key %s", lineAt(text, dec.InputOffset()), finding.Quote(inner[1:]))
			}
			names[key] = true
		}
		if err := once(text, dec, inner); err != nil {
			return err
		}
	}
	if opening != 0 {
		_, err = dec.Token() // what closes it
	}
	return err
}

// hollow returns an error for a file that lacks what a round always has: judged, it would be clean, though nothing was observed.
func hollow(r observation.Round) error {
	if len(r.Endpoints) == 0 && !r.ListenersRead && len(r.Diagnostics) == 0 && len(r.ObserveErrors) == 0 && r.AlertPath == nil {
		return errors.New("nothing was checked in it: it has neither endpoints nor listeners")
	}
	for _, e := range r.Endpoints {
		if !e.Probed {
			continue
		}
		if what := lacks(e); what != "" {
			return fmt.Errorf("the endpoint %s: %s", finding.Quote(e.Target.Name), what)
		}
	}
	return nil
}

// lacks says what is missing of what was asked of an endpoint and wherever it leads; empty for nothing.
func lacks(e observation.Endpoint) string {
	if e.Target.Kind.DefaultPort() == 0 && e.Target.Kind != target.TLS {
		return fmt.Sprintf("unknown kind %s", finding.Quote(string(e.Target.Kind)))
	}
	if len(e.Addresses) == 0 && e.DNS.Failure == nil {
		return "its addresses are missing"
	}
	for _, a := range e.Addresses {
		what := lacksCertificate(e.Target.Kind, a)
		if e.Target.Kind.Web() && a.Failure == nil && !answered(a) {
			what = "neither an answer nor a failure"
		}
		if what != "" {
			return fmt.Sprintf("its address %s has %s", finding.Quote(a.Address), what)
		}
		if a.HTTP == nil {
			continue
		}
		for _, h := range a.HTTP.Hops {
			if what := hopLacks(h); what != "" {
				return fmt.Sprintf("the redirect to %s: %s", finding.Quote(h.URL), what)
			}
		}
	}
	return ""
}

// hopLacks is lacks for a redirect's hop, of whose addresses the first that answers is asked for the page alone.
func hopLacks(h observation.Hop) string {
	switch {
	case h.Blocked != "":
		return ""
	case len(h.Addresses) == 0 && h.DNS.Failure == nil:
		return "its addresses are missing"
	}
	for _, a := range h.Addresses {
		if what := lacksCertificate(h.Kind, a); what != "" {
			return fmt.Sprintf("its address %s has %s", finding.Quote(a.Address), what)
		}
	}
	if !slices.ContainsFunc(h.Addresses, answered) && slices.ContainsFunc(h.Addresses, func(a observation.Address) bool { return a.Failure == nil }) {
		return "none of its addresses has an answer"
	}
	return ""
}

func lacksCertificate(kind target.Kind, a observation.Address) string {
	if kind.Secured() && a.Failure == nil && (a.TLS == nil || len(a.TLS.Chain) == 0) {
		return "neither a certificate nor a failure"
	}
	return ""
}

// answered reports whether a request got its answer, or was held back on purpose.
func answered(a observation.Address) bool {
	return a.Withheld != "" || a.HTTP != nil && a.HTTP.Status != 0
}
