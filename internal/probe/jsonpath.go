package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"certdrift/internal/observation"
	"certdrift/internal/target"
)

// unmetJSON lists the expected values that a body does not have. cut reports that the body is longer than body.
func unmetJSON(asked []target.JSONValue, body []byte, cut bool) []observation.Unmet {
	document, err := parseJSON(body)
	if cut {
		err = fmt.Errorf("the body is longer than %d bytes, the most that is parsed as JSON", maxJSON)
	}
	var unmet []observation.Unmet
	for _, a := range asked {
		want := a.Path
		if a.Equals != nil {
			want += " = " + *a.Equals
		}
		if err != nil {
			unmet = append(unmet, observation.Unmet{Want: want, Got: err.Error()})
			continue
		}
		value, found := atPath(document, a.Path)
		switch {
		case !found:
			unmet = append(unmet, observation.Unmet{Want: want, Got: "no such value"})
		case a.Equals != nil && !equalJSON(value, *a.Equals):
			unmet = append(unmet, observation.Unmet{Want: want, Got: jsonText(value)})
		}
	}
	return unmet
}

func parseJSON(body []byte) (any, error) {
	// RFC 8259 §8.1: a byte order mark may be ignored, as browsers do.
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body continues after its JSON value")
	}
	return document, nil
}

// atPath walks "$.items[0].id", `$["a key"][2]`; the "$" is optional.
func atPath(document any, path string) (value any, found bool) {
	rest := strings.TrimPrefix(path, "$")
	value = document
	for rest != "" {
		var step string
		var isKey, ok bool
		if step, isKey, rest, ok = cutStep(rest); !ok {
			return nil, false
		}
		switch container := value.(type) {
		case map[string]any:
			if value, ok = container[step]; !ok || !isKey {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(step)
			if isKey || err != nil || i < 0 || i >= len(container) {
				return nil, false
			}
			value = container[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// cutStep takes the first step off a path: .name, [3], ["name"] or ['name'].
func cutStep(path string) (step string, isKey bool, rest string, ok bool) {
	if path[0] != '[' {
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		return path[:end], true, path[end:], end > 0
	}
	path = path[1:]
	if path != "" && (path[0] == '"' || path[0] == '\'') {
		name, after, found := strings.Cut(path[1:], path[:1]+"]")
		return name, true, after, found
	}
	index, after, found := strings.Cut(path, "]")
	return index, false, after, found
}

// equalJSON compares a value with a text: strings as they are, numbers by value, anything else by its JSON form.
func equalJSON(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return v == text
	case json.Number:
		if len(v) > 100 || len(text) > 100 { // parsing 1e999999999 exactly would take forever
			return v.String() == text
		}
		a, errA := strconv.ParseFloat(v.String(), 64)
		b, errB := strconv.ParseFloat(text, 64)
		if errA != nil || errB != nil || a != b {
			return v.String() == text
		}
		return exact(v.String(), text)
	default:
		return jsonText(v) == text
	}
}

// exact compares integers that have the same float64.
func exact(a, b string) bool {
	x, okX := new(big.Int).SetString(a, 10)
	y, okY := new(big.Int).SetString(b, 10)
	return !okX || !okY || x.Cmp(y) == 0
}

func jsonText(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
