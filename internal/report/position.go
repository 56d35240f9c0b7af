package report

import (
	"certdrift/internal/finding"
	"certdrift/internal/target"
)

// position is the place in a file that a finding belongs to: its own where its evidence names one (file, line,
// column), else that of the endpoint it concerns, or the first that it affects. The zero Position where there is none, or
// where a tool wrote the file: nobody edits a line of that.
func (r Report) position(f finding.Finding) target.Position {
	if f.Subject.Source.Generated {
		return target.Position{}
	}
	if at := f.Subject.Source; at.File != "" {
		return target.Position{File: finding.Clean(at.File, textLimit), Line: at.Line, Column: at.Column}
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
