package sqlite

import "fmt"

// filesystem is what decides whether SQLite's WAL mode works in a directory.
type filesystem struct {
	magic uint32 // f_type of statfs(2)
	wsl   bool   // the kernel is that of the Windows Subsystem for Linux
}

// fuse is the f_type of every FUSE file system: local ones on most machines, but
// a Windows drive under WSL.
const fuse = 0x65735546

// noWAL names the file systems whose shared memory or locks do not hold between
// processes, by their f_type.
var noWAL = map[uint32]string{
	0x01021997: "9p, a share of the host or a Windows drive",
	0x53464846: "a Windows drive (DrvFs)",
	0x6969:     "NFS, a network file system",
	0x517B:     "SMB, a network file system",
	0xFE534D42: "SMB, a network file system",
	0xFF534D42: "CIFS, a network file system",
}

// refusal returns why a database must not be kept in dir, nil if it may.
// Without it SQLite reports "locking protocol" or "disk I/O error" at best, and
// corrupts the file at worst (tracker case 42).
func (fs filesystem) refusal(dir string) error {
	kind, bad := noWAL[fs.magic]
	if fs.magic == fuse && fs.wsl {
		kind, bad = "a Windows drive (DrvFs)", true
	}
	if !bad {
		return nil
	}
	return fmt.Errorf("%s is on %s, where several processes cannot share an SQLite database: keep it in a directory on a local disk", dir, kind)
}
