package docs_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"certdrift/internal/cost"
	"certdrift/internal/metric"
)

// TestScaleIsWhatCostEstimates: each row of the estimates in docs/scale.md is what `certdrift cost` says of such a stack, to the digits that
// the page has.
func TestScaleIsWhatCostEstimates(t *testing.T) {
	page, err := os.ReadFile("scale.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Estimated\n")
	metrics := metric.MonthlyUSD(metric.SeriesCount(metric.Inventory{Environments: 1, Functions: 2}))
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 11 || !strings.ContainsAny(cells[0], "0123456789") {
			continue
		}
		rows++
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), ",", "")
		}
		p := cost.Plan{Endpoints: whole(t, cells[0]), Workers: whole(t, cells[1]), MemoryMB: whole(t, cells[2]), ProbeEvery: time.Minute, InspectEvery: 5 * time.Minute, MetricsUSD: metrics}
		s, others := p.Seconds(), p.Others()
		var lambda, requests float64
		for _, l := range p.Lines() {
			if strings.HasPrefix(l.Item, "Lambda, ") {
				lambda += l.MonthlyUSD
			}
			if l.Item == "Lambda, requests" {
				_, _ = fmt.Sscan(l.Quantity, &requests) // 0 fits no row
			}
		}
		for i, want := range map[int]float64{3: s.Probe, 4: s.Worker, 5: s.Inspect, 6: requests, 7: lambda, 8: cost.Total(p.Lines()), 9: others[0].MonthlyUSD, 10: others[1].MonthlyUSD} {
			text, note, _ := strings.Cut(cells[i], ":")
			if text == "" {
				text = "0"
			}
			_, decimals, _ := strings.Cut(text, ".")
			if got := strconv.FormatFloat(want, 'f', len(decimals), 64); got != text {
				t.Errorf("%s endpoints, %s workers, column %d: the page has %s, certdrift cost %s", cells[0], cells[1], i+1, text, got)
			}
			if (i == 5 && note != "") != (i == 5 && !p.Fits()) {
				t.Errorf("%s endpoints, %s workers: rounds fit: %t, the page says %q", cells[0], cells[1], p.Fits(), cells[i])
			}
		}
	}
	if rows < 6 {
		t.Errorf("%d rows", rows)
	}
}

func whole(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
