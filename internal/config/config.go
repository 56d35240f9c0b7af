// Package config reads certdrift.yaml: bytes to targets and policies, strictly. Every fault is reported at once, each
// with its line and a hint; an endpoint with a fault is left out and the others stay.
package config

import (
	"certdrift/internal/incident"
	"certdrift/internal/judge"
	"certdrift/internal/target"
)

// Config is a configuration that has been checked: defaults are filled in and files it names are read.
type Config struct {
	Policy       judge.Policy
	Incidents    incident.Policy
	Endpoints    []target.Endpoint // in the file's order
	Scope        target.Scope
	Certificates []target.CertificateFile
	// Manifests are paths, globs or s3:// prefixes, as written; the manifest package reads them.
	Manifests []string
}
