package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// demoFiles is what a newcomer's first folder holds.
var demoFiles = map[string]string{
	".obbywatch":       "# What to watch, one pattern a line.\n*.md\n*.txt\n",
	".obbyignore":      "# What to leave out; wins over .obbywatch.\n.git/\n",
	"notes/welcome.md": "# Welcome\n\nEdit this file, or add another beside it, and watch the page.\n",
}

// prepare returns the absolute path of the folder to watch. Without one it makes
// the demo folder; what is there already stays as it is.
func prepare(watch, data string) (string, error) {
	if err := os.MkdirAll(data, 0o755); err != nil {
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	if watch == "" {
		watch = filepath.Join(data, "demo")
		if err := makeDemo(watch); err != nil {
			return "", err
		}
	}
	root, err := filepath.Abs(watch)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s does not exist: create it, or name another folder with WATCH=", root)
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is not a folder: name one with WATCH=", root)
	}
	if _, err := os.Stat(filepath.Join(root, ".obbywatch")); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s has no .obbywatch, so nothing in it would be watched: "+
			"create one, such as  echo '*.md' > '%s/.obbywatch'  and run again", root, root)
	}
	return root, nil
}

func makeDemo(dir string) error {
	for name, text := range demoFiles {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the demo folder: %w", err)
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("make the demo folder: %w", err)
		}
		_, writeErr := file.WriteString(text)
		if err := errors.Join(writeErr, file.Close()); err != nil {
			return fmt.Errorf("make the demo folder: %w", err)
		}
	}
	return nil
}
