package main

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// gzipHeader is the length of a gzip header without a name (RFC 1952 §2.3), gzipTrailer that of the checksum and size at the end.
const (
	gzipHeader  = 10
	gzipTrailer = 8
)

// deflater compresses with gzip where there is one: it also finds matches of three bytes, as the SAM CLI's zlib does, and Go's compressor
// does not, which makes a binary three percent larger.
func deflater(w io.Writer) (io.WriteCloser, error) {
	path, err := exec.LookPath("gzip")
	if err != nil {
		return flate.NewWriter(w, flate.BestCompression)
	}
	return &gzipped{path: path, to: w}, nil
}

// gzipped collects what is written, and writes it compressed when it is closed.
type gzipped struct {
	bytes.Buffer
	path string
	to   io.Writer
}

func (g *gzipped) Close() error {
	cmd := exec.Command(g.path, "-9", "-n", "-c")
	cmd.Stdin = &g.Buffer
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("compressing with %s: %w", g.path, err)
	}
	if len(out) < gzipHeader+gzipTrailer || out[3] != 0 { // flags: a name, a comment
		return errors.New("compressing: gzip wrote a header that is not expected")
	}
	_, err = g.to.Write(out[gzipHeader : len(out)-gzipTrailer])
	return err
}
