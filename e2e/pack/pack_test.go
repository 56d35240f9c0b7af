package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPackIsReproducible(t *testing.T) {
	var zips [2][]byte
	for i := range zips {
		dir := filepath.Join(t.TempDir(), "package")
		write(t, filepath.Join(dir, "bootstrap"), "#!", []os.FileMode{0o755, 0o700}[i]) // whatever the umask was
		write(t, filepath.Join(dir, "k8s", "service.yaml"), "kind: Service", 0o600)
		if err := os.Chtimes(filepath.Join(dir, "bootstrap"), time.Time{}, time.Unix(int64(i)*1e6, 0)); err != nil {
			t.Fatal(err)
		}
		size, err := pack(dir, dir+".zip")
		if err != nil {
			t.Fatal(err)
		}
		if zips[i], err = os.ReadFile(dir + ".zip"); err != nil {
			t.Fatal(err)
		}
		if size != int64(len(zips[i])) {
			t.Errorf("size %d, file %d", size, len(zips[i]))
		}
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("the same files gave different packages")
	}
	r, err := zip.NewReader(bytes.NewReader(zips[0]), int64(len(zips[0])))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]os.FileMode{}
	for _, f := range r.File {
		got[f.Name] = f.Mode().Perm()
	}
	if len(got) != 2 || got["bootstrap"] != 0o755 || got["k8s/service.yaml"]&0o111 != 0 {
		t.Errorf("entries: %v", got)
	}
}

func TestPackOfNothing(t *testing.T) {
	if _, err := pack(filepath.Join(t.TempDir(), "absent"), filepath.Join(t.TempDir(), "out.zip")); err == nil {
		t.Error("a folder that does not exist was packed")
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
