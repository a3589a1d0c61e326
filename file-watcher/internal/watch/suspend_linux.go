package watch

import (
	"errors"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// resumes has a value whenever the machine has woken from suspension, during
// which others may have changed what lies on its disks. Nothing ticks meanwhile.
type resumes struct {
	wake chan struct{}
	file *os.File      // nil where the kernel has no such timer
	done chan struct{} // closed when read has ended
}

// watchResumes waits on a timer that never fires but is cancelled when the clock
// jumps, as it does on waking (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
func watchResumes() *resumes {
	r := &resumes{wake: make(chan struct{}, 1), done: make(chan struct{})}
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // then the safety scan alone finds what happened
		close(r.done)
		return r
	}
	r.file = os.NewFile(uintptr(fd), "timer")
	go r.read(fd) // ended by close
	return r
}

func (r *resumes) close() {
	if r.file != nil {
		_ = r.file.Close() // nothing is written, so nothing can be lost
	}
	<-r.done
}

func (r *resumes) read(fd int) {
	defer close(r.done)
	never := unix.ItimerSpec{Value: unix.Timespec{Sec: math.MaxInt32}}
	asleep := timeAsleep()
	for {
		if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &never, nil); err != nil {
			return
		}
		_, err := r.file.Read(make([]byte, 8))
		if !errors.Is(err, unix.ECANCELED) {
			return
		}
		was := asleep
		if asleep = timeAsleep(); asleep-was > time.Second { // else somebody set the clock
			select {
			case r.wake <- struct{}{}:
			default:
			}
		}
	}
}

// timeAsleep returns how long the machine has been suspended since it was started:
// the one clock counts that time, the other does not (clock_gettime(2)).
func timeAsleep() time.Duration {
	var boot, awake unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) // neither fails with these clocks
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &awake)
	return time.Duration(boot.Nano() - awake.Nano())
}
