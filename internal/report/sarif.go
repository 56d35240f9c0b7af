package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"certdrift/internal/catalogue"
	"certdrift/internal/finding"
)

// sarifSchema is the schema of SARIF 2.1.0 (OASIS, with Errata 01).
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri,omitempty"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string     `json:"id"`
	ShortDescription *sarifText `json:"shortDescription,omitempty"`
	FullDescription  *sarifText `json:"fullDescription,omitempty"`
	Help             *sarifText `json:"help,omitempty"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool   `json:"executionSuccessful"`
	StartTimeUTC        string `json:"startTimeUtc"`
	EndTimeUTC          string `json:"endTimeUtc"`
	// Notifications are what could not be learnt, and is no fault.
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             sarifText         `json:"message"`
	Locations           []sarifLocation   `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// WriteSARIF writes the findings as SARIF 2.1.0 (OASIS), each at its line of the configuration or manifest. The rules
// found are described from the catalogue.
func WriteSARIF(w io.Writer, r Report, entries []catalogue.Entry) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "certdrift", Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{r.Complete, sarifTime(r.Started), sarifTime(r.Finished), sarifNotes(r)}},
		Results:     []sarifResult{},
	}
	index := map[finding.Code]int{}
	for _, f := range r.Findings {
		at, ok := index[f.Code]
		if !ok {
			at = len(run.Tool.Driver.Rules)
			index[f.Code] = at
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, ruleOf(f.Code, entries))
		}
		run.Results = append(run.Results, r.sarifResult(f, at))
	}
	if err := EncodeJSON(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}); err != nil {
		return fmt.Errorf("encoding SARIF: %w", err)
	}
	return nil
}

func sarifNotes(r Report) []sarifNotification {
	var out []sarifNotification
	for _, n := range r.Notes() {
		out = append(out, sarifNotification{"note", sarifText{sarifEscape(n.Endpoint + ": " + n.Text)}})
	}
	return out
}

func sarifTime(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }

func ruleOf(code finding.Code, entries []catalogue.Entry) sarifRule {
	rule := sarifRule{ID: string(code)}
	i := slices.IndexFunc(entries, func(e catalogue.Entry) bool { return e.Code == code })
	if i < 0 {
		return rule
	}
	for _, part := range []struct {
		to   **sarifText
		text string
	}{
		{&rule.ShortDescription, entries[i].Title},
		{&rule.FullDescription, entries[i].Meaning},
		{&rule.Help, entries[i].Remedy},
	} {
		if part.text != "" {
			*part.to = &sarifText{part.text}
		}
	}
	return rule
}

func (r Report) sarifResult(f finding.Finding, rule int) sarifResult {
	level := "note"
	switch f.Severity {
	case finding.Critical:
		level = "error"
	case finding.Warning:
		level = "warning"
	}
	location := sarifLocation{Logical: []sarifLogical{{FullyQualifiedName: where(f), Kind: "resource"}}}
	if p := r.position(f); p.File != "" {
		location.Physical = &sarifPhysical{Artifact: sarifArtifact{fileURI(p.File)}}
		if p.Line > 0 {
			location.Physical.Region = &sarifRegion{p.Line, p.Column}
		}
	}
	message := sarifEscape(where(f) + ": " + f.Summary)
	if remedy := strings.Join(lines(f.Remedy), "\n"); remedy != "" {
		message += "\n" + sarifEscape(remedy)
	}
	return sarifResult{
		RuleID: string(f.Code), RuleIndex: rule, Level: level, Message: sarifText{message},
		Locations: []sarifLocation{location},
		// Not the summary: dates and numbers in it change while the fault stays the same.
		PartialFingerprints: map[string]string{"certdrift/v1": fingerprint([]byte(string(f.Code) + "\x00" + where(f)))},
	}
}

// sarifEscape keeps remote text from being read as an embedded link (SARIF 2.1.0 §3.11.6).
func sarifEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(s)
}

// fileURI is a path as a relative URI reference, or a file URI where it is absolute.
func fileURI(path string) string {
	var b strings.Builder
	if strings.HasPrefix(path, "/") {
		b.WriteString("file://")
	}
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
