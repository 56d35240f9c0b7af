package report

import (
	"encoding/json"

	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// position is the place in a file that a finding belongs to: its own where its evidence names one (file, line,
// column), else that of the endpoint it concerns, or the first that it affects. The zero Position where there is none, or
// where a tool wrote the file: nobody mends a line of that.
func (r Report) position(f finding.Finding) target.Position {
	if generated, _ := f.Evidence["generated"].(bool); generated {
		return target.Position{}
	}
	if file, _ := f.Evidence["file"].(string); file != "" {
		return target.Position{
			File: finding.Clean(file, textLimit), Line: number(f.Evidence["line"]), Column: number(f.Evidence["column"]),
		}
	}
	key := f.Environment + "/" + f.Endpoint
	if f.Endpoint == "" && len(f.Affects) > 0 {
		key = f.Affects[0]
	}
	for _, e := range r.Endpoints {
		if e.Environment+"/"+e.Name == key {
			at := e.Source
			at.File = finding.Clean(at.File, textLimit)
			return at
		}
	}
	return target.Position{}
}

// number reads a line or column; 0 for anything but a number.
func number(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case float64: // as evidence comes back from JSON
		return int(v)
	case json.Number:
		n, _ := v.Int64()
		return int(n)
	}
	return 0
}
