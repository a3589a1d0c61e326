package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// A segment begins with its header: magic, epoch and first sequence, and their
// CRC-32C.
const (
	magic       = "OBBYHUB2"
	epochBytes  = 8
	headerBytes = len(magic) + epochBytes + 8 + 4

	suffix = ".log"
	spare  = "spare.tmp" // a segment that is filled with zeros and not begun
)

// segment is one file of events.
type segment struct {
	file  *os.File
	first hub.Seq // of its first event, or the one to come
	end   int64   // where the next record goes
	size  int64   // of the file
}

func segmentName(first hub.Seq) string { return fmt.Sprintf("%020d%s", uint64(first), suffix) }

// makeSpare writes a file of zeros. It is synced, so that its blocks are there and
// a disk that is full says so before anything is promised.
func makeSpare(dir string, size int64) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, spare), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, 64<<10)
	for written := int64(0); written < size && err == nil; written += int64(len(zeros)) {
		_, err = file.Write(zeros[:min(int64(len(zeros)), size-written)])
	}
	if err = errors.Join(err, file.Sync()); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}

// begin makes a segment of the spare file. When its name is there and cannot be
// made safe, that is final: another segment of the same events would stand beside
// it under a later name.
func (l *Log) begin(file *os.File, size int64, first hub.Seq) (*segment, error) {
	_, err := file.WriteAt(header(l.epoch, first), 0)
	if err == nil {
		err = l.disk.syncFile(file)
	}
	if err == nil {
		err = os.Rename(filepath.Join(l.dir, spare), filepath.Join(l.dir, segmentName(first)))
	}
	if err != nil {
		return nil, err
	}
	if err := l.disk.syncNames(l.names); err != nil {
		return nil, l.fail(fmt.Errorf("make the names in %s safe: %w; mend the disk and start the hub again", l.dir, err))
	}
	return &segment{file: file, first: first, end: int64(headerBytes), size: size}, nil
}

func header(epoch string, first hub.Seq) []byte {
	b := append([]byte(magic), epoch...)
	b = binary.LittleEndian.AppendUint64(b, uint64(first))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var errHeader = errors.New("it does not begin as a segment does")

// openSegment opens a file and reads its header.
func openSegment(dir, name string) (s *segment, epoch string, err error) {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR, 0)
	if err != nil {
		return nil, "", err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	b := make([]byte, headerBytes)
	if _, err := file.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) { // too short is a bad header
		return nil, "", errors.Join(err, file.Close())
	}
	epoch = string(b[len(magic) : len(magic)+epochBytes])
	first := hub.Seq(binary.LittleEndian.Uint64(b[len(magic)+epochBytes:]))
	if string(b) != string(header(epoch, first)) || name != segmentName(first) {
		return nil, "", errors.Join(errHeader, file.Close())
	}
	return &segment{file: file, first: first, end: int64(headerBytes), size: info.Size()}, epoch, nil
}

// segmentNames lists a directory's segments, oldest first.
func segmentNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted, and the names sort as their numbers
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// lock makes this process the one owner of a directory, until the file is closed.
func lock(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%s is used by another hub: stop that one, or give each a directory of its own with --history-dir", dir)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
