package sqlite

import (
	"strings"
	"testing"
)

func TestFilesystem(t *testing.T) {
	for _, tc := range []struct {
		name string
		fs   filesystem
		want string // part of the refusal; empty: accepted
	}{
		{"ext4", filesystem{magic: 0xEF53}, ""},
		{"ext4 on WSL", filesystem{magic: 0xEF53, wsl: true}, ""},
		{"tmpfs", filesystem{magic: 0x01021994}, ""},
		{"local FUSE", filesystem{magic: fuse}, ""},
		{"FUSE on WSL", filesystem{magic: fuse, wsl: true}, "DrvFs"},
		{"WSL 1", filesystem{magic: 0x53464846, wsl: true}, "DrvFs"},
		{"9p", filesystem{magic: 0x01021997}, "9p"},
		{"NFS", filesystem{magic: 0x6969}, "NFS"},
		{"SMB", filesystem{magic: 0xFE534D42}, "SMB"},
		{"CIFS", filesystem{magic: 0xFF534D42}, "CIFS"},
	} {
		t.Run("case 42: "+tc.name, func(t *testing.T) {
			err := tc.fs.refusal("/mnt/c/notes")
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && err == nil:
				t.Error("accepted")
			case err != nil && (!strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "/mnt/c/notes")):
				t.Errorf("refusal is %q, want it to name /mnt/c/notes and %s", err, tc.want)
			}
		})
	}
	if err := checkFilesystem("/no/such/directory"); err == nil {
		t.Error("a directory that is not there was accepted")
	}
}
