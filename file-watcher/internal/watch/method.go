package watch

import (
	"fmt"
	"strings"
)

// Method says how the changes below a root are noticed.
type Method uint8

// The methods of a watch.
const (
	Auto   Method = iota // whichever works there
	Notify               // the kernel's notifications
	Poll                 // scans, again and again
)

// String returns the method's name, as in settings.
func (m Method) String() string { return [...]string{"auto", "notify", "poll"}[m] }

// ParseMethod reads a method's name.
func ParseMethod(name string) (Method, error) {
	for _, m := range [...]Method{Auto, Notify, Poll} {
		if m.String() == name {
			return m, nil
		}
	}
	return Auto, fmt.Errorf("%q is not one of auto, notify and poll", name)
}

// facts is what is known of the place where a root lies. Empty where the system
// does not tell.
type facts struct {
	magic  int64  // of the file system: statfs(2), f_type
	fsType string // as mounted: proc(5), mountinfo
	mount  string // where it is mounted
	kernel string // its release: uname(2)
}

// notNotifying are the file systems that others change too, of which the kernel
// here hears nothing (inotify(7), "Limitations and caveats"), by their magic
// numbers: linux/magic.h, and for those outside of the kernel coreutils' fs.h.
var notNotifying = map[int64]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xfe534d42: "SMB",
	0xff534d42: "CIFS",
	0x01021997: "9p, such as a Windows drive in WSL 2",
	0x5346414f: "AFS",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
	0x47504653: "GPFS",
	0x7461636f: "OCFS2",
	0x01161970: "GFS2",
	0x73757245: "Coda",
	0x786f4256: "a VirtualBox shared folder",
	0xbacbacbc: "a VMware shared folder",
	0x7c7c6673: "a Parallels shared folder",
}

const (
	fuseMagic  = 0x65735546
	wslfsMagic = 0x53464846
)

// pollReason says why a root must be polled, empty where notifications work.
func (f facts) pollReason() string {
	if name := notNotifying[f.magic]; name != "" {
		return "it is on " + name
	}
	switch {
	case f.magic == fuseMagic && f.fsType == "fuseblk":
		return "" // a disk of this machine, such as NTFS: every change passes the kernel
	case f.magic == fuseMagic:
		return fmt.Sprintf("it is on FUSE (%s), where changes made elsewhere are not notified", orUnknown(f.fsType))
	case f.fsType == "drvfs", f.magic == wslfsMagic && strings.Contains(f.kernel, "Microsoft") && strings.HasPrefix(f.mount, "/mnt/"):
		return "it is on a Windows drive in WSL"
	}
	return ""
}

func orUnknown(fsType string) string {
	if fsType == "" {
		return "of unknown type"
	}
	return fsType
}

// method decides how the root at path is watched, and why it is polled.
func (w *Watcher) method(path string, wanted Method) (Method, string) {
	if wanted == Auto {
		wanted = w.opts.Method
	}
	switch wanted {
	case Notify:
		return Notify, ""
	case Poll:
		return Poll, "as it was asked for"
	}
	if why := w.facts(path).pollReason(); why != "" {
		return Poll, why
	}
	return Notify, ""
}
