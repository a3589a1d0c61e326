package watch

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPollReason(t *testing.T) {
	for _, tc := range []struct {
		name  string
		facts facts
		says  string // empty: notifications work
	}{
		{"nothing is known", facts{}, ""},
		{"ext4", facts{magic: 0xef53, fsType: "ext4", mount: "/", kernel: "6.1.0"}, ""},
		{"btrfs", facts{magic: 0x9123683e, fsType: "btrfs", mount: "/"}, ""},
		{"tmpfs", facts{magic: 0x01021994, fsType: "tmpfs", mount: "/tmp"}, ""},
		{"overlay", facts{magic: 0x794c7630, fsType: "overlay", mount: "/"}, ""},
		{"ext4 in WSL 2", facts{magic: 0xef53, fsType: "ext4", mount: "/", kernel: "5.15.90.1-microsoft-standard-WSL2"}, ""},
		{"home in WSL 1", facts{magic: wslfsMagic, fsType: "wslfs", mount: "/", kernel: "4.4.0-19041-Microsoft"}, ""},
		{"NTFS by FUSE", facts{magic: fuseMagic, fsType: "fuseblk", mount: "/media/disk"}, ""},

		{"Windows drive in WSL 1", facts{magic: wslfsMagic, fsType: "drvfs", mount: "/mnt/c", kernel: "4.4.0-19041-Microsoft"}, "Windows drive"},
		{"Windows drive in WSL 1, type not told", facts{magic: wslfsMagic, mount: "/mnt/d", kernel: "4.4.0-19041-Microsoft"}, "Windows drive"},
		{"Windows drive in WSL 2", facts{magic: 0x01021997, fsType: "9p", mount: "/mnt/c", kernel: "5.15.90.1-microsoft-standard-WSL2"}, "9p"},
		{"NFS", facts{magic: 0x6969, fsType: "nfs4", mount: "/home"}, "NFS"},
		{"SMB", facts{magic: 0xfe534d42, fsType: "smb3", mount: "/srv"}, "SMB"},
		{"CIFS", facts{magic: 0xff534d42, fsType: "cifs", mount: "/srv"}, "CIFS"},
		{"sshfs", facts{magic: fuseMagic, fsType: "fuse.sshfs", mount: "/srv"}, "fuse.sshfs"},
		{"virtiofs", facts{magic: fuseMagic, fsType: "virtiofs", mount: "/srv"}, "virtiofs"},
		{"FUSE of unknown type", facts{magic: fuseMagic}, "unknown"},
		{"VirtualBox", facts{magic: 0x786f4256, fsType: "vboxsf", mount: "/media/sf_x"}, "VirtualBox"},
		{"Ceph", facts{magic: 0x00c36400, fsType: "ceph", mount: "/srv"}, "Ceph"},
	} {
		t.Run("case 45: "+tc.name, func(t *testing.T) {
			if got := tc.facts.pollReason(); (got == "") != (tc.says == "") || !strings.Contains(got, tc.says) {
				t.Errorf("it says %q, want %q", got, tc.says)
			}
		})
	}
}

func TestFactsOf(t *testing.T) {
	f := factsOf("/proc/self")
	if f.magic != 0x9fa0 || f.fsType != "proc" || f.mount != "/proc" || f.kernel == "" {
		t.Errorf("of /proc it is known: %+v", f)
	}
}

// onNFS has everything below a directory look like NFS.
func (w *world) onNFS(name string) {
	w.do(func() {
		w.w.facts = func(path string) facts {
			if _, in := below(filepath.Join(w.dir, name), path); in {
				return facts{magic: 0x6969}
			}
			return facts{}
		}
	})
}

// save makes a file in one step, which no quiet delay is too short for.
func (w *world) save(name, text string) {
	w.t.Helper()
	w.disk("write", []string{name + ".tmp", text})
	w.disk("mv", []string{name + ".tmp", name})
}

func TestMethod(t *testing.T) {
	w := newWorldWith(t, Options{PollMin: time.Millisecond, PollMax: 20 * time.Millisecond, Debounce: time.Millisecond})
	w.onNFS("nfs")
	w.roots["other"] = "other" // so that events say whose they are
	for _, dir := range []string{"nfs", "disk", "forced", "trusted"} {
		w.disk("mkdir", []string{dir})
		w.disk("write", []string{dir + "/.obbywatch", "*.md"})
	}
	for _, tc := range []struct {
		root   string
		wanted Method
		want   Method
		says   string
	}{
		{"nfs", Auto, Poll, "NFS"},
		{"disk", Auto, Notify, ""},
		{"forced", Poll, Poll, "asked for"},
	} {
		t.Run("case 45: "+tc.root, func(t *testing.T) {
			status, _, err := w.start(Start{Path: tc.root, Method: tc.wanted})
			if err != nil || status.Method != tc.want || !strings.Contains(status.Message, tc.says) {
				t.Fatalf("it is %+v, %v", status, err)
			}
			w.ids[tc.root], w.roots[status.ID] = status.ID, tc.root
			s := w.subscribe("", Filter{Watches: []string{status.ID}})
			w.save(tc.root+"/a.md", "a")
			w.expect(s, "created "+tc.root+"/a.md by "+tc.root)
			w.disk("mkdir", []string{tc.root + "/d/e"})
			w.save(tc.root+"/d/e/b.md", "b")
			w.expect(s, "created "+tc.root+"/d/e/b.md by "+tc.root)
			w.disk("append", []string{tc.root + "/d/e/b.md", "more"})
			w.expect(s, "modified "+tc.root+"/d/e/b.md by "+tc.root)
			w.disk("mv", []string{tc.root + "/d", tc.root + "/f"})
			w.expect(s, "renamed "+tc.root+"/d/ -> "+tc.root+"/f/ by "+tc.root)
			w.disk("rm", []string{tc.root + "/f"})
			w.expect(s, "deleted "+tc.root+"/f/e/b.md by "+tc.root)
		})
	}
	t.Run("a root that is said to be on disk", func(t *testing.T) {
		w.onNFS("trusted")
		if status, _, err := w.start(Start{Path: "trusted", Method: Notify}); err != nil || status.Method != Notify {
			t.Errorf("it is %+v, %v", status, err)
		}
	})
}

func TestParseMethod(t *testing.T) {
	for _, m := range []Method{Auto, Notify, Poll} {
		if got, err := ParseMethod(m.String()); got != m || err != nil {
			t.Errorf("%v is read as %v, %v", m, got, err)
		}
	}
	if _, err := ParseMethod("guess"); err == nil || !strings.Contains(err.Error(), "auto, notify and poll") {
		t.Errorf("error is %v", err)
	}
}
