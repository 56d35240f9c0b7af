package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressEvery is how often the line is drawn anew, and how long a round may take before it shows at all.
const progressEvery = time.Second

// progress shows on standard error, where that is a terminal, how far a long round is and for how long it runs, also
// while no endpoint ends. Call the first function for each endpoint done, and the second to clear the line.
func (a *App) progress(what string, total int) (step func(done, total int), stop func()) {
	if !a.StderrTerminal {
		return nil, func() {}
	}
	l := &progressLine{what: what, total: total, bar: progressbar.NewOptions(total+1, // the last step is the round's own end
		progressbar.OptionSetWriter(a.Stderr), progressbar.OptionSetWidth(20),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(true),
	)}
	l.bar.StartWithoutRender()
	over := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() { l.drawUntil(over) })
	return l.step, func() {
		close(over)
		drawing.Wait()
		_ = l.bar.Clear()
	}
}

// progressLine is the line on the terminal. What the terminal does not take is no loss.
type progressLine struct {
	what string
	bar  *progressbar.ProgressBar

	mu          sync.Mutex
	done, total int
	shown       bool
}

func (l *progressLine) drawUntil(over <-chan struct{}) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
			l.mu.Lock()
			l.shown = true
			l.draw()
			l.mu.Unlock()
		}
	}
}

func (l *progressLine) step(done, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done, l.total = done, total
	if l.shown {
		l.draw()
	}
}

func (l *progressLine) draw() {
	if l.bar.GetMax() != l.total+1 {
		l.bar.ChangeMax(l.total + 1)
	}
	_ = l.bar.Set(l.done)
	l.bar.Describe(l.text())
}

// text counts the endpoints, where there are any: a round may be of load balancers alone.
func (l *progressLine) text() string {
	if l.total == 0 {
		return l.what
	}
	return fmt.Sprintf("%s %d/%d", l.what, l.done, l.total)
}
