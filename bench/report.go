package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// goal is a ratio between contenders of one world, and what it is to be at least.
type goal struct {
	name, of, to string
	least        [2]float64 // by world
}

var goals = []goal{
	{"probe function, warm, against the cached floor", probeWarm, floorCached, [2]float64{0.85, 0.85}},
	{"`check`, one shot, against the floor without a cache", checkOnce, floorPlain, [2]float64{0.95, 1.5}},
	{"probe function, warm, against blackbox_exporter", probeWarm, peerWarm, [2]float64{2.5, 4}},
}

// ratio is how many times as many checks per second of processor time one contender makes as another: the median of the laps, in each of
// which both had their turn.
func (w worldResult) ratio(of, to string) float64 {
	var all []float64
	for i := range min(len(w.laps[of]), len(w.laps[to])) {
		all = append(all, float64(w.laps[to][i])/float64(w.laps[of][i]))
	}
	return median(all)
}

// markdown is docs/performance.md.
func (r results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Performance

Written by %cmake bench%c. What a check costs, in processor time of the client, against servers on loopback: each of %d endpoints has a name
and a certificate of its own. Contenders have their turns within each of %d laps, on one core, and a ratio is the median of the laps' ratios.
Absolute figures are those of the machine that ran it (%s, %s); only ratios can be compared.

The *floor* is a bare loop over Go's crypto/tls: dial, TLS handshake, verify, HEAD, close. "Cached" remembers which chains have verified for
which name, "certificates kept" saves parsing them again. Two chains: P-256 throughout, and a P-256 certificate under a P-384 intermediate and
an RSA-4096 root, as Let's Encrypt's are.

`, '`', '`', r.endpoints, r.laps, runtime.Version(), runtime.GOARCH)
	r.table(&b)
	r.goals(&b)
	return b.String()
}

func (r results) table(b *strings.Builder) {
	b.WriteString("| checks per second of the client's processor time |")
	for _, w := range r.worlds {
		fmt.Fprintf(b, " %s | of the cached floor |", w.name)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: | ---: |", len(r.worlds)) + "\n")
	for _, name := range r.worlds[0].order {
		fmt.Fprintf(b, "| %s |", name)
		for _, w := range r.worlds {
			fmt.Fprintf(b, " %.0f | %.2f |", float64(r.endpoints)/median(w.laps[name]).Seconds(), w.ratio(name, floorCached))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func (r results) goals(b *strings.Builder) {
	b.WriteString("| goal | least | measured |\n| --- | --- | --- |\n")
	for _, g := range goals {
		fmt.Fprintf(b, "| %s, P-256 / Let's-Encrypt-like | %g / %g |", g.name, g.least[0], g.least[1])
		if len(r.worlds[0].laps[g.to]) == 0 {
			b.WriteString(" not measured: no peer (make bench PEER=…) |\n")
			continue
		}
		var measured []string
		for i, w := range r.worlds {
			measured = append(measured, fmt.Sprintf("%.2f%s", w.ratio(g.of, g.to), missed(w.ratio(g.of, g.to) < g.least[i])))
		}
		fmt.Fprintf(b, " %s |\n", strings.Join(measured, " / "))
	}
	if r.hanging {
		fmt.Fprintf(b, "| memory per waiting check (floor: %d KiB) | 60 KiB | %d KiB%s |\n", r.waitingFloor>>10, r.waiting>>10, missed(r.waiting > 60<<10))
		for _, h := range r.hangs {
			once, later := r.hangGoal(checkOnce, h), r.hangGoal(probeWarm, h)
			fmt.Fprintf(b, "| %d endpoints, a tenth hanging, timeout %v, one core, wall-clock time: probe function that has seen them hang / `check` | max(timeout, work) + 10 %%: %.1f / %.1f s | %.1f s%s / %.1f s%s |\n",
				h.endpoints, hangTimeout, later.Seconds(), once.Seconds(), h.later.Seconds(), missed(h.later > later), h.once.Seconds(), missed(h.once > once))
		}
	}
	fmt.Fprintf(b, "| cold start over a function that does nothing, processor time (counted in steps of 10 ms) | + ~0 ms | %+d ms |\n",
		(r.starts["bootstrap"] - r.starts["hello"]).Milliseconds())
}

// hangGoal is how long a round with hanging endpoints may take a contender, by what one without them costs it.
func (r results) hangGoal(contender string, h hangResult) time.Duration {
	work := time.Duration(float64(median(r.worlds[0].laps[contender])) * float64(h.endpoints) / float64(r.endpoints))
	return max(hangTimeout, work) * 11 / 10
}

// missed marks a goal that is not reached.
func missed(is bool) string {
	if is {
		return " (missed)"
	}
	return ""
}
