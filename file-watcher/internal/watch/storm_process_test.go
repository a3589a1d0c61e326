package watch

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// stormEnv holds the task of a process of the storm.
const stormEnv = "WATCH_TEST_STORM"

// stormTask is what one process of the storm does.
type stormTask struct {
	Dir        string
	Seed, Part uint64
	Links      bool // hard links, too
}

// command returns the command that runs the task: this binary again.
func (s stormTask) command(t testing.TB) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStormProcess$", "-test.v=false")
	cmd.Env = append(os.Environ(), stormEnv+"="+string(text))
	return cmd
}

// TestStormProcess is not a test but what the processes of TestStorm run.
func TestStormProcess(t *testing.T) {
	text := os.Getenv(stormEnv)
	if text == "" {
		t.Skip("it runs as a part of TestStorm")
	}
	var task stormTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	s := stormer{stormTask: task, random: rand.New(rand.NewPCG(task.Seed, task.Part))}
	for range gustOperations {
		name, args, err := s.operation()
		fmt.Fprintf(out, "%d %s %q %v\n", time.Now().UnixNano(), name, args, err)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	os.Exit(0) // before anything else is printed
}

type stormer struct {
	stormTask
	random *rand.Rand
}

func (s *stormer) any(names ...string) string { return names[s.random.IntN(len(names))] }

func (s *stormer) folder() string {
	path := filepath.Join(s.Dir, s.any("r", "r", "r", "r", "r", "beside", "outside"))
	for range s.random.IntN(4) {
		path = filepath.Join(path, s.any("a", "a", "b", "b", "c", "ignored", "odd\ndir"))
	}
	return path
}

func (s *stormer) file() string {
	return filepath.Join(s.folder(), s.any("x.md", "y.md", "z.md", "t.txt", "odd \n", "odd ", "odd\xff", "a"))
}

func (s *stormer) sub() string { return filepath.Join(s.folder(), s.any("a", "b", "c", "d.md")) }

// operation does one thing that may well be impossible.
func (s *stormer) operation() (name string, args []string, err error) {
	file, other, dir, another := s.file(), s.file(), s.sub(), s.sub()
	switch s.random.IntN(24) {
	case 0, 1, 2, 3:
		return "write", []string{file}, os.WriteFile(file, s.content(), 0o644)
	case 4, 5:
		return "append", []string{file}, appendTo(file, string(s.content()))
	case 6:
		return "truncate", []string{file}, os.Truncate(file, s.random.Int64N(50))
	case 7, 8:
		return "rename", []string{file, other}, os.Rename(file, other)
	case 9:
		temp := filepath.Join(filepath.Dir(file), fmt.Sprint("temp", s.Part))
		return "replace", []string{temp, file}, firstError(os.WriteFile(temp, s.content(), 0o644), os.Rename(temp, file))
	case 10:
		return "remove", []string{file}, os.Remove(file)
	case 11:
		return "recreate", []string{file}, firstError(os.Remove(file), os.WriteFile(file, s.content(), 0o644))
	case 12, 13, 14:
		return "mkdir -p", []string{dir}, os.MkdirAll(dir, 0o755)
	case 15, 16, 17:
		return "rename", []string{dir, another}, os.Rename(dir, another)
	case 18:
		return "rm -rf", []string{dir}, os.RemoveAll(dir)
	case 19:
		return "fill", []string{dir}, firstError(os.MkdirAll(dir, 0o755), os.WriteFile(dir+"/x.md", s.content(), 0o644))
	default:
		return s.rareOperation(file, other, dir)
	}
}

func (s *stormer) rareOperation(file, other, dir string) (name string, args []string, err error) {
	switch s.random.IntN(7) {
	case 0:
		return "symlink", []string{other, file}, os.Symlink(other, file)
	case 1:
		return "symlink", []string{dir, file}, os.Symlink(dir, file)
	case 2:
		return "chmod", []string{file}, os.Chmod(file, os.FileMode(0o600+s.random.IntN(64)))
	case 3: // a writer of a FIFO would wait for a reader
		file = filepath.Join(filepath.Dir(file), "fifo.md")
		return "mkfifo", []string{file}, syscall.Mkfifo(file, 0o644)
	case 4:
		return "touch", []string{file}, os.Chtimes(file, time.Time{}, time.Unix(s.random.Int64N(1e9), 0))
	default:
		if !s.Links {
			return "nothing", nil, nil
		}
		return "link", []string{file, other}, os.Link(file, other)
	}
}

func (s *stormer) content() []byte { return make([]byte, s.random.IntN(100)) }
