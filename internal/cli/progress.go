package cli

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressAfter is how long a round may take before it shows how far it is.
const progressAfter = time.Second

// progress shows on standard error, where that is a terminal, how far a long round is. The first function is told of
// each endpoint done, the second takes the line away.
func (a *App) progress(what string) (step func(done, total int), stop func()) {
	if !a.StderrTerminal {
		return nil, func() {}
	}
	began := a.Now()
	var mu sync.Mutex
	var bar *progressbar.ProgressBar
	step = func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if bar == nil {
			if a.Now().Sub(began) < progressAfter {
				return
			}
			bar = progressbar.NewOptions(total,
				progressbar.OptionSetWriter(a.Stderr), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionSetWidth(20), progressbar.OptionClearOnFinish(),
			)
		}
		_ = bar.Set(done) // a line that the terminal does not take is no loss
	}
	return step, func() {
		mu.Lock()
		defer mu.Unlock()
		if bar != nil {
			_ = bar.Clear()
		}
	}
}
