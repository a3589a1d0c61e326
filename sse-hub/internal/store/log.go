package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// Sizes that are guesses.
const (
	// maxSegment is how large a segment is; a sixteenth of the history where that
	// is less, so that what is kept too long is little.
	maxSegment = 4 << 20
	minSegment = 64 << 10
	// maxKeys is how many idempotency keys are looked for at the start.
	maxKeys = 10_000
)

// Options of a log.
type Options struct {
	Dir       string // made where there is none
	Retention hub.Retention
	Memory    int64 // bytes of the newest events to keep in memory
	Log       *slog.Logger
	Failed    func(error) // is told when the log takes nothing any more
}

// Log implements hub.Log and hub.Recaller.
type Log struct {
	dir       string
	retention hub.Retention
	memory    int64
	log       *slog.Logger
	failed    func(error)
	opened    time.Time // with the monotonic clock, by which events age (hub case 68)
	lock      *os.File
	disk      disk
	names     *os.File // the directory, open: to sync it takes no new descriptor
	epoch     string
	keys      []keyed // found at the start
	groups    groups
	// spare gets the next segment's file once; its writer ends after that.
	spare chan spareFile

	mu       sync.Mutex // guards what follows; Append alone writes segments
	segments []*segment // oldest first
	places   []place    // of the events held, first on
	first    hub.Seq
	bytes    int64 // of the records held
	recent   recent
	broken   error // why nothing is taken any more
}

// place is where an event stands: in the last segment that begins before it.
type place struct {
	at     time.Duration // of its publication, since opened
	offset uint32
	size   uint32
}

type keyed struct {
	topic, key string
	receipt    hub.Receipt
}

type spareFile struct {
	file *os.File
	err  error
}

// Open returns the log of a directory, with what it held before. The caller must
// Close it.
func Open(o Options) (*Log, error) { return openOn(systemDisk, o) }

func openOn(d disk, o Options) (*Log, error) {
	l := &Log{
		disk: d, dir: o.Dir, retention: o.Retention, memory: o.Memory, log: o.Log, failed: o.Failed,
		opened: time.Now(), first: 1, epoch: hub.NewEpoch(), spare: make(chan spareFile, 1),
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the history's directory: %w", err)
	}
	var err error
	if l.lock, err = lock(o.Dir); err != nil {
		return nil, err
	}
	if l.names, err = os.Open(o.Dir); err != nil {
		return nil, errors.Join(err, l.lock.Close())
	}
	err = l.recover()
	var broken damage
	if errors.As(err, &broken) {
		err = l.setAside(broken)
	}
	if err == nil {
		l.recent.first = l.next()
		go l.prepare(l.segmentSize()) // ends when it is done; Close waits for it
		if len(l.segments) == 0 {
			err = l.roll(0, l.next())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the history in %s: %w", o.Dir, errors.Join(err, l.release()))
	}
	return l, nil
}

// Append implements hub.Log.
func (l *Log) Append(events []*hub.Event) error {
	if l.broken != nil { // written by Append alone
		return l.broken
	}
	size := 0
	for _, e := range events {
		size += recordBytes(e)
	}
	records := make([]byte, 0, size)
	for i, e := range events {
		records = appendRecord(records, e, i)
	}
	if s := l.active(); s.end+int64(size) > s.size {
		if err := l.roll(int64(size), events[0].Seq); err != nil {
			return fmt.Errorf("begin a segment in %s: %w", l.dir, err)
		}
	}
	s := l.active()
	_, err := s.file.WriteAt(records, s.end)
	if err == nil {
		err = l.disk.syncFile(s.file)
	}
	if err != nil {
		return l.fail(fmt.Errorf("write %s: %w; mend the disk and start the hub again", s.file.Name(), err))
	}
	l.hold(s, events)
	return nil
}

// hold makes stored events known to readers.
func (l *Log) hold(s *segment, events []*hub.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.opened)
	for _, e := range events {
		size := recordBytes(e)
		l.places = append(l.places, place{at: now, offset: uint32(s.end), size: uint32(size)})
		l.bytes += int64(size)
		s.end += int64(size)
		l.recent.add(e, l.memory)
	}
	l.forget()
}

func (l *Log) fail(err error) error {
	l.mu.Lock()
	l.broken = err
	l.mu.Unlock()
	l.failed(err)
	return err
}

// Bounds implements hub.Log.
func (l *Log) Bounds() (hub.Bounds, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	return hub.Bounds{Epoch: l.epoch, Oldest: l.first, Newest: l.next() - 1, Bytes: l.bytes, Memory: l.recent.bytes}, nil
}

// Recall implements hub.Recaller.
func (l *Log) Recall(n int, known func(topic, key string, r hub.Receipt)) error {
	for _, k := range l.keys[max(0, len(l.keys)-n):] {
		known(k.topic, k.key, k.receipt)
	}
	l.keys = nil // asked for once
	return nil
}

// Close releases the directory.
func (l *Log) Close() error {
	if next := <-l.spare; next.file != nil {
		_ = next.file.Close()
	}
	return l.release()
}

func (l *Log) release() error {
	l.closeSegments()
	return errors.Join(l.names.Close(), l.lock.Close())
}

func (l *Log) closeSegments() {
	for _, s := range l.segments {
		_ = s.file.Close() // all of it is synced
	}
}

func (l *Log) active() *segment { return l.segments[len(l.segments)-1] }

func (l *Log) next() hub.Seq { // with mu held
	return l.first + hub.Seq(len(l.places))
}

func (l *Log) segmentSize() int64 {
	return min(maxSegment, max(minSegment, l.retention.Bytes/16))
}

// prepare has a spare file ready before it is needed: to fill one takes longer
// than a publication should.
func (l *Log) prepare(size int64) {
	file, err := l.disk.makeSpare(l.dir, size)
	l.spare <- spareFile{file, err}
}

// roll removes the segments whose events are all forgotten, and begins one that
// has room for so many bytes. With an error nothing else has changed, and another
// try may succeed, unless the log has failed. First is given: readers make the log forget meanwhile.
func (l *Log) roll(room int64, first hub.Seq) error {
	l.removeForgotten() // first: on a full disk it is what makes room
	next := <-l.spare
	size := l.segmentSize()
	if need := int64(headerBytes) + room; next.err != nil || need > size {
		if next.file != nil {
			_ = next.file.Close()
		}
		size = max(size, need)
		next.file, next.err = l.disk.makeSpare(l.dir, size)
	}
	if next.err != nil {
		l.spare <- spareFile{err: next.err}
		return next.err
	}
	s, err := l.begin(next.file, size, first)
	go l.prepare(l.segmentSize()) // ends when it is done; Close waits for it
	if err != nil {
		return errors.Join(err, next.file.Close())
	}
	l.mu.Lock()
	l.segments = append(l.segments, s)
	l.mu.Unlock()
	l.removeForgotten() // the one before, where all of it is forgotten
	return nil
}

// removeForgotten removes the segments before the one that holds the first event.
func (l *Log) removeForgotten() {
	for len(l.segments) > 1 {
		l.mu.Lock()
		l.forget()
		oldest, kept := l.segments[0], l.segments[1].first > l.first
		if !kept {
			l.segments = l.segments[1:]
		}
		l.mu.Unlock()
		if kept {
			return
		}
		_ = oldest.file.Close()
		if err := os.Remove(filepath.Join(l.dir, segmentName(oldest.first))); err != nil {
			l.log.Warn("segment cannot be removed", "path", oldest.file.Name(), "err", err)
		}
	}
}

// forget drops what the retention no longer covers. Whoever looks at the log calls
// it first, so what is too old is never seen.
func (l *Log) forget() { // with mu held
	for len(l.places) > 0 && l.over(l.places[0]) {
		l.drop()
	}
}

func (l *Log) over(oldest place) bool {
	return len(l.places) > l.retention.Events ||
		(l.bytes > l.retention.Bytes && len(l.places) > 1) ||
		time.Since(l.opened)-oldest.at > l.retention.Age
}

func (l *Log) drop() { // with mu held
	l.bytes -= int64(l.places[0].size)
	l.places = l.places[1:]
	l.first++
	l.recent.dropBefore(l.first)
}
