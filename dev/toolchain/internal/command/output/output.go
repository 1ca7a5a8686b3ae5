// Package output collects what a command prints: for the state, for the engine's log, and for the message when the
// command fails.
package output

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

const (
	// StdoutVariable and StderrVariable carry the previous run's output into an update or delete command.
	StdoutVariable = "PULUMI_COMMAND_STDOUT"
	StderrVariable = "PULUMI_COMMAND_STDERR"

	tailLines = 20
)

// Logging says which of the command's streams go to the engine's log.
type Logging string

// Values lists the modes, under the SDK's names.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: "Stdout", Value: "stdout", Description: "Capture stdout in logs but not stderr"},
		{Name: "Stderr", Value: "stderr", Description: "Capture stderr in logs but not stdout"},
		{Name: "StdoutAndStderr", Value: "stdoutAndStderr", Description: "Capture stdout and stderr in logs"},
		{Name: "None", Value: "none", Description: "Capture no logs"},
	}
}

func (l *Logging) covers(stream Logging) bool {
	return l == nil || *l == "stdoutAndStderr" || *l == stream
}

// Streams are the outputs that every command has.
type Streams struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Variables returns the environment in which the next run sees this output. Empty streams are left out.
func (s Streams) Variables() map[string]string {
	out := map[string]string{}
	if s.Stdout != "" {
		out[StdoutVariable] = s.Stdout
	}
	if s.Stderr != "" {
		out[StderrVariable] = s.Stderr
	}
	return out
}

// Collector receives both streams of one run. Its writers may be used at the same time.
type Collector struct {
	Stdout, Stderr *stream
	mutex          sync.Mutex
	tail           []string
}

// Collect returns a collector that passes whole lines on to the engine's log as far as logging allows.
func Collect(ctx context.Context, logging *Logging) *Collector {
	collector := &Collector{}
	log := provider.GetLogger(ctx)
	line := func(name Logging) func(string) {
		return func(text string) {
			collector.mutex.Lock()
			defer collector.mutex.Unlock()
			collector.tail = append(collector.tail, text)
			if len(collector.tail) > tailLines {
				collector.tail = collector.tail[1:]
			}
			if logging.covers(name) {
				log.InfoStatus(text)
			}
		}
	}
	collector.Stdout, collector.Stderr = &stream{line: line("stdout")}, &stream{line: line("stderr")}
	return collector
}

// Finish returns the collected output, or for a failed run an error that names the command by its first line and
// shows the last lines of its output. It holds nothing of stdin and environment: secrets travel there.
func (c *Collector) Finish(command string, err error) (Streams, error) {
	c.Stdout.flush()
	c.Stderr.flush()
	if err == nil {
		return Streams{Stdout: c.Stdout.text(), Stderr: c.Stderr.text()}, nil
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(command), "\n")
	if rest != "" {
		first += " ..."
	}
	if len(c.tail) == 0 {
		return Streams{}, fmt.Errorf("%w, running %q, which printed nothing", err, first)
	}
	return Streams{}, fmt.Errorf("%w, running %q, which printed at last:\n%s", err, first, strings.Join(c.tail, "\n"))
}

type stream struct {
	all, partial bytes.Buffer
	line         func(string)
}

// Write keeps the bytes and hands out the lines that they complete.
func (s *stream) Write(data []byte) (int, error) {
	s.all.Write(data)
	s.partial.Write(data)
	for {
		end := bytes.IndexByte(s.partial.Bytes(), '\n')
		if end < 0 {
			return len(data), nil
		}
		s.line(strings.TrimRight(string(s.partial.Next(end+1)), "\r\n"))
	}
}

func (s *stream) flush() {
	if s.partial.Len() > 0 {
		s.line(s.partial.String())
		s.partial.Reset()
	}
}

func (s *stream) text() string {
	return strings.TrimSuffix(s.all.String(), "\n")
}
