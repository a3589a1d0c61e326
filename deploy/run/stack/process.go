package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 20 * time.Second // from start to ready; a guess, ample for a cold disk
	readyPoll  = 10 * time.Millisecond
)

// Process is one running service.
type Process struct {
	Name string
	// Addr holds the addresses it listens on, by the name its `listening` log
	// line gives them: grpc, admin and, where it has one, http.
	Addr map[string]string

	bin  string
	args []string
	log  func(service, line string)

	cmd  *exec.Cmd
	last *lastLine
	done chan struct{} // closed when the process has ended and its log is read
	err  error         // how it ended; read after done
}

// StartProcess runs the program bin as the service name and returns when it is
// ready to serve. Each line of its log is given to log.
func StartProcess(ctx context.Context, bin, name string, args []string, log func(service, line string)) (*Process, error) {
	p := newProcess(bin, name, args, log)
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

func newProcess(bin, name string, args []string, log func(service, line string)) *Process {
	return &Process{Name: name, Addr: map[string]string{}, bin: bin, args: args, log: log}
}

// Restart runs the program of an ended process again, on the same addresses.
func (p *Process) Restart(ctx context.Context) error {
	select {
	case <-p.done:
	default:
		return fmt.Errorf("%s is still running", p.Name)
	}
	args := p.args
	for listener, addr := range maps.Clone(p.Addr) {
		p.args = append(p.args, "--"+flagOf(listener), addr) // the last of a flag wins
	}
	defer func() { p.args = args }()
	return p.run(ctx)
}

func (p *Process) run(ctx context.Context) error {
	if err := p.listen(ctx); err != nil {
		return err
	}
	return p.awaitReady(ctx)
}

// listen starts the program and returns when it has said where it listens.
func (p *Process) listen(ctx context.Context) error {
	cmd := exec.Command(p.bin, p.args...)
	// A group of its own: Ctrl-C in the terminal reaches the launcher alone,
	// which stops the services in order. If the launcher is killed, they end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	output, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.cmd, p.done, p.last = cmd, make(chan struct{}), &lastLine{}
	listening := make(chan map[string]string, 1)
	go func() { // ends with the process, whose end closes the pipe
		p.read(output, listening, p.last)
		p.err = cmd.Wait()
		close(p.done)
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	select {
	case p.Addr = <-listening:
		return nil
	case <-p.done:
		return fmt.Errorf("%s did not start: %s", p.Name, p.last.get())
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("%s did not say where it listens: %w", p.Name, ctx.Err())
	}
}

// read passes the log on and picks the addresses out of the `listening` line.
func (p *Process) read(output io.Reader, listening chan<- map[string]string, last *lastLine) {
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			p.log(p.Name, line)
			last.set(line)
			if fields := logFields(line); fields["msg"] == "listening" {
				select {
				case listening <- addresses(fields):
				default:
				}
			}
		}
		if err != nil {
			return
		}
	}
}

// awaitReady returns when the process is ready to serve.
func (p *Process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		reason, err := readiness(ctx, p.Addr["admin"])
		if err == nil && reason == "" {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended while starting: %s", p.Name, p.last.get())
		case <-ctx.Done():
			p.Kill()
			return fmt.Errorf("%s did not become ready in %v: %w", p.Name, startLimit, errors.Join(err, errors.New(reason)))
		case <-time.After(readyPoll):
		}
	}
}

// readiness asks the admin listener; the reason is empty when it is ready.
func readiness(ctx context.Context, admin string) (reason string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return "", nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return strings.TrimSpace(string(text)), err
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process with SIGKILL and waits until it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended already
	<-p.done
}

// Stop ends the process with SIGTERM, and with SIGKILL when ctx is over first.
// It returns how the process ended.
func (p *Process) Stop(ctx context.Context) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-ctx.Done():
		p.Kill()
	}
	return p.err
}

// PID returns the id of the process that runs, or ran last.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// LastLine returns the last line that the process logged.
func (p *Process) LastLine() string { return p.last.get() }

// Signal sends a signal, such as SIGSTOP.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// lastLine keeps the last log line: what a program says before it gives up.
type lastLine struct {
	mu   sync.Mutex // guards line
	line string
}

func (l *lastLine) set(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = line
}

func (l *lastLine) get() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line
}
