// Package browser opens certdrift's pages in a real browser: headless Chromium, controlled over the DevTools protocol. It runs only in
// `make e2e`, and is skipped with a message if Chromium is not installed.
package browser
