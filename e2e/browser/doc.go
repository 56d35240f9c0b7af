// Package browser opens what certdrift writes for browsers in a real one: Chromium without a window, driven over its
// DevTools protocol. It runs by `make e2e` only, and says so where no Chromium is installed.
package browser
