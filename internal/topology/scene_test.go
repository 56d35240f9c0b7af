package topology

import (
	"testing"

	"certdrift/internal/certtest"
)

// noon is the time of every scene.
var noon = certtest.SceneTime

const (
	region  = certtest.Region
	account = certtest.Account
	host    = "api.example.org"
)

// What scenes are made of, by short names.
var (
	arnOf  = certtest.CertificateARN
	ok     = certtest.Serving
	attach = certtest.Attach
)

// scene is a round under construction.
type scene struct {
	*certtest.Scene

	t testing.TB
}

func newScene(t testing.TB) *scene {
	t.Helper()
	return &scene{Scene: certtest.NewScene(t), t: t}
}

func (s *scene) build() *Topology { return Build(s.Round, noon) }
