package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// damage is what cannot come from an end of the process or a power cut.
type damage struct{ error }

// recover reads what is there: where each event stands, and the keys. Only what
// is whole counts.
func (l *Log) recover() error {
	if err := os.Remove(filepath.Join(l.dir, spare)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	names, err := segmentNames(l.dir)
	if err != nil {
		return err
	}
	for i, name := range names {
		if err := l.load(name, i == len(names)-1); err != nil {
			return err
		}
	}
	if len(l.segments) == 0 {
		return nil
	}
	// After a kill -9 it may be in the kernel's memory alone, its name as well, and
	// from here on it is seen by readers.
	return errors.Join(l.disk.syncFile(l.active().file), l.disk.syncNames(l.names))
}

// load reads one segment.
func (l *Log) load(name string, last bool) error {
	s, epoch, err := openSegment(l.dir, name)
	if errors.Is(err, errHeader) {
		return damage{fmt.Errorf("%s: %w", name, err)}
	}
	if err != nil {
		return err
	}
	if len(l.segments) == 0 {
		l.epoch, l.first = epoch, s.first
	}
	l.segments = append(l.segments, s)
	if epoch != l.epoch || s.first != l.next() {
		return damage{fmt.Errorf("%s does not follow the segment before it", name)}
	}
	content := make([]byte, s.size)
	if _, err := io.ReadFull(io.NewSectionReader(s.file, 0, s.size), content); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	rest := content[headerBytes:]
	for {
		payload, size, ok := cutRecord(rest)
		if !ok || seqOf(payload) != l.next() {
			break
		}
		l.learn(s, payload, size)
		rest = rest[size:]
	}
	torn := len(bytes.TrimRight(rest, "\x00"))
	if err := l.checkEnd(name, rest, torn, last); err != nil || !last {
		return err
	}
	// All of it is written again, and then synced: after a sync that failed the
	// kernel takes what it has in memory for written, whatever the disk has.
	whole := content[:s.end:s.end]
	_, err = s.file.WriteAt(append(whole, l.pass(s, torn)...), 0)
	return err
}

// pass gives the places that what was torn may have had to nothing. Nobody was told
// of them if it was being written, but this may be an event that was, and that the
// disk has damaged: no id is given twice. The records are as long as what they
// replace, or as many as a group has: should this write be torn as well, the next
// start passes over no less.
func (l *Log) pass(s *segment, torn int) (records []byte) {
	if torn == 0 {
		return nil
	}
	for i := range min(hub.MaxGroup, torn/leastRecord+1) {
		records = appendRecord(records, &hub.Event{Seq: l.next(), Time: l.opened}, i)
		l.learn(s, records[i*leastRecord+frameBytes:], leastRecord)
	}
	l.log.Info("what was being written when the hub ended is taken back, and its ids are passed over", "bytes", torn, "up_to", l.next()-1)
	return append(records, make([]byte, max(0, torn-len(records)))...)
}

// learn notes a record that was found.
func (l *Log) learn(s *segment, payload []byte, size int) {
	age := max(0, l.opened.Sub(timeOf(payload))) // a clock that went back makes nothing older
	l.places = append(l.places, place{at: -age, offset: uint32(s.end), size: uint32(size)})
	l.bytes += int64(size)
	s.end += int64(size)
	if k := keyOf(payload, l.epoch); k.key != "" {
		l.keys = append(l.keys, k)
		if len(l.keys) > 2*maxKeys {
			l.keys = append(l.keys[:0], l.keys[len(l.keys)-maxKeys:]...)
		}
	}
}

// checkEnd looks at what follows the last whole record of a segment: zeros, or in
// the newest one what was being written when the process or the machine ended. The
// kernel writes the pages of a group in any order, so whole records may follow a
// broken one of the same group. A whole record of a later group, however, was
// written when the broken one was synced.
func (l *Log) checkEnd(name string, rest []byte, torn int, last bool) error {
	broken := damage{fmt.Errorf("%s is damaged after event %d", name, l.next()-1)}
	if torn > 0 && !last {
		return broken
	}
	for at := 1; at < min(torn, len(rest)-frameBytes-fixedBytes); at++ {
		payload := rest[at+frameBytes:]
		if near := seqOf(payload) - l.next(); near >= 1<<32 {
			continue // not worth a sum
		}
		if _, _, ok := cutRecord(rest[at:]); ok && groupStart(payload) > l.next() {
			return broken
		}
	}
	return nil
}

// setAside moves segments that cannot be trusted out of the way, for a person to
// look at, and begins anew: the new epoch tells readers that they missed something.
func (l *Log) setAside(why error) error {
	aside := filepath.Join(l.dir, "damaged-"+time.Now().UTC().Format("20060102T150405.000"))
	l.log.Error("the history is damaged and set aside; clients are told to load the present state", "err", why, "path", aside)
	if err := os.Mkdir(aside, 0o700); err != nil {
		return err
	}
	l.closeSegments()
	names, err := segmentNames(l.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(l.dir, name), filepath.Join(aside, name)); err != nil {
			return err
		}
	}
	l.segments, l.places, l.bytes, l.first, l.epoch = nil, nil, 0, 1, hub.NewEpoch()
	l.keys = nil // their answers name events that are gone
	return l.disk.syncNames(l.names)
}
