package watch

import (
	"bufio"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// factsOf asks the system about the place where path lies.
func factsOf(path string) facts {
	var f facts
	var st unix.Statfs_t
	if unix.Statfs(path, &st) == nil {
		f.magic = int64(uint32(st.Type)) // of some architectures it is signed, of others it is not
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		f.kernel = unix.ByteSliceToString(name.Release[:])
	}
	f.mount, f.fsType = mountOf(path)
	return f
}

// mountOf returns the last mount that path lies on, and its type (proc(5),
// /proc/pid/mountinfo).
func mountOf(path string) (mount, fsType string) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", ""
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, types := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(types) == 0 {
			continue
		}
		point := unescapeMount.Replace(fields[4])
		if _, in := below(strings.TrimSuffix(point, "/"), path); in && len(point) >= len(mount) {
			mount, fsType = point, types[0]
		}
	}
	return mount, fsType
}

// unescapeMount undoes what mountinfo does to blanks.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
