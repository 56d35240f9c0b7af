package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// pack writes what is under dir into the zip file out and returns its size in bytes. Files are in lexical order, without
// dates. Of their modes only the executable bit is kept, for all users: Lambda runs them as another user.
func pack(dir, out string) (size int64, err error) {
	file, err := os.Create(out)
	if err != nil {
		return 0, fmt.Errorf("making the package %q: %w", out, err)
	}
	defer func() {
		if cerr := file.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("writing the package %q: %w", out, cerr)
		}
	}()
	w := zip.NewWriter(file)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return add(w, dir, path)
	}
	if err := filepath.WalkDir(dir, walk); err != nil {
		return 0, fmt.Errorf("packing %q: %w", dir, err)
	}
	if err := w.Close(); err != nil {
		return 0, fmt.Errorf("packing %q: %w", dir, err)
	}
	info, err := file.Stat()
	if err != nil {
		return 0, fmt.Errorf("measuring %q: %w", out, err)
	}
	return info.Size(), nil
}

func add(w *zip.Writer, dir, path string) error {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	header := &zip.FileHeader{Name: filepath.ToSlash(name), Method: zip.Deflate}
	header.SetMode(0o644)
	if info.Mode()&0o100 != 0 {
		header.SetMode(0o755)
	}
	entry, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // only read
	_, err = io.Copy(entry, from)
	return err
}
