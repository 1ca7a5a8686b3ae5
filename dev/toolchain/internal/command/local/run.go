package local

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"

	"idr/toolchain/internal/command/output"
)

// pipeGrace is how long a killed command's background children may hold its output open.
const pipeGrace = 2 * time.Second

// Settings say how a local command is run.
type Settings struct {
	Stdin                  *string            `pulumi:"stdin,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Logging                *output.Logging    `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// Annotate gives the defaults.
func (s *Settings) Annotate(a infer.Annotator) {
	a.SetDefault(&s.AddPreviousOutputInEnv, true)
}

// Run is the function command:local:run, which runs its command in every preview and update.
type Run struct{}

// RunInputs are those of pulumi_command.local.run.
type RunInputs struct {
	Settings
	Command string `pulumi:"command"`
}

// RunOutputs are those of pulumi_command.local.run.
type RunOutputs struct {
	RunInputs
	output.Streams
}

// Invoke runs the command.
func (Run) Invoke(
	ctx context.Context, req infer.FunctionRequest[RunInputs],
) (infer.FunctionResponse[RunOutputs], error) {
	streams, err := run(ctx, req.Input.Command, req.Input.Settings, output.Streams{})
	return infer.FunctionResponse[RunOutputs]{Output: RunOutputs{RunInputs: req.Input, Streams: streams}}, err
}

// run runs a command to its end. Cancelling ctx kills it and its children.
func run(ctx context.Context, command string, settings Settings, previous output.Streams) (output.Streams, error) {
	arguments := []string{"/bin/sh", "-c"}
	if settings.Interpreter != nil && len(*settings.Interpreter) > 0 {
		arguments = *settings.Interpreter
	}
	arguments = append(arguments[:len(arguments):len(arguments)], command)

	process := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error { return syscall.Kill(-process.Process.Pid, syscall.SIGKILL) }
	process.WaitDelay = pipeGrace
	process.Env = os.Environ()
	if settings.Environment != nil {
		process.Env = appendVariables(process.Env, *settings.Environment)
	}
	if settings.AddPreviousOutputInEnv == nil || *settings.AddPreviousOutputInEnv {
		process.Env = appendVariables(process.Env, previous.Variables())
	}
	if settings.Dir != nil {
		process.Dir = *settings.Dir
	}
	if settings.Stdin != nil {
		process.Stdin = strings.NewReader(*settings.Stdin)
	}
	collector := output.Collect(ctx, settings.Logging)
	process.Stdout, process.Stderr = collector.Stdout, collector.Stderr
	return collector.Finish(command, process.Run())
}

func appendVariables(environment []string, variables map[string]string) []string {
	for name, value := range variables {
		environment = append(environment, name+"="+value)
	}
	return environment
}
