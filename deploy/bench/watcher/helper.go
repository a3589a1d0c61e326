package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// helperEnv makes a process of this program one of a scenario's: it holds what to
// do and on which tree.
const helperEnv = "OBBY_BENCH_HELPER"

func helperCommand(task ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+strings.Join(task, "\n"))
	return cmd
}

// helper does what helperCommand asked this process for, and reports whether it
// was asked for anything.
func helper() bool {
	task := strings.Split(os.Getenv(helperEnv), "\n")
	var err error
	switch task[0] {
	case "":
		return false
	case "raw":
		err = readRaw(task[1])
	case "write":
		err = writeFiles(task[1:])
	case "subscribe":
		err = subscribe(task[1], task[2], task[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// writeFiles writes numbered files round the directories two levels below a root.
func writeFiles(args []string) error {
	root := args[0]
	from, _ := strconv.Atoi(args[1])
	to, _ := strconv.Atoi(args[2])
	dirs, err := filepath.Glob(root + "/*/*")
	if err != nil || len(dirs) == 0 {
		return fmt.Errorf("no directories in %s: %w", root, err)
	}
	for i := from; i < to; i++ {
		if err := os.WriteFile(fmt.Sprintf("%s/file-%d.md", dirs[i%len(dirs)], i), []byte("hello\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// readRaw reads a tree's notifications and does as little as one can with them.
func readRaw(root string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	dirs := map[int32]string{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		wd, err := unix.InotifyAddWatch(fd, path, rawMask)
		dirs[int32(wd)] = path
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println("watching")
	var c counted
	buf := make([]byte, 64<<10)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		for n, _ := strconv.Atoi(lines.Text()); c.Files < n; {
			size, err := unix.Read(fd, buf)
			if err != nil {
				return err
			}
			c.parse(dirs, buf[:size])
		}
		if err := json.NewEncoder(os.Stdout).Encode(c); err != nil {
			return err
		}
	}
	return nil
}

// rawMask is what the file-watcher asks the kernel for.
const rawMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MODIFY |
	unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF

func (c *counted) parse(dirs map[int32]string, buf []byte) {
	for len(buf) >= unix.SizeofInotifyEvent {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[0]))
		name := buf[unix.SizeofInotifyEvent : unix.SizeofInotifyEvent+int(e.Len)]
		buf = buf[unix.SizeofInotifyEvent+int(e.Len):]
		c.path = dirs[e.Wd] + "/" + strings.TrimRight(string(name), "\x00")
		c.Events++
		switch {
		case e.Mask&unix.IN_Q_OVERFLOW != 0:
			c.Resync++
		case e.Mask&unix.IN_CREATE != 0:
			c.Files++
		}
	}
}

// limits returns the kernel's limits.
func limits() map[string]int {
	all := map[string]int{}
	for _, name := range []string{"max_user_watches", "max_user_instances", "max_queued_events"} {
		text, _ := os.ReadFile("/proc/sys/fs/inotify/" + name) // 0 where there is none
		all[name], _ = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	return all
}
