package report

// For the tests of package report_test, which may import what imports this package.
const (
	GoodARN  = goodARN
	StaleARN = staleARN
	Hostile  = hostile
)

var (
	Fixture = fixture
	Noon    = noon
)
