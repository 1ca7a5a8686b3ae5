// Package remote runs commands and copies files over ssh.
package remote

import (
	"context"
	"fmt"
	"strings"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"idr/toolchain/internal/command/output"
)

// Command is the resource command:remote:Command.
type Command struct{}

// Inputs are those of pulumi_command.remote.Command.
type Inputs struct {
	Connection             Connection         `pulumi:"connection" provider:"secret"`
	Create                 *string            `pulumi:"create,optional"`
	Update                 *string            `pulumi:"update,optional"`
	Delete                 *string            `pulumi:"delete,optional"`
	Triggers               *[]any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Logging                *output.Logging    `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// Annotate gives the defaults.
func (i *Inputs) Annotate(a infer.Annotator) {
	a.SetDefault(&i.AddPreviousOutputInEnv, true)
}

// State is what the engine keeps of a command.
type State struct {
	Inputs
	output.Streams
}

// Create runs the create command, if there is one.
func (Command) Create(ctx context.Context, req infer.CreateRequest[Inputs]) (infer.CreateResponse[State], error) {
	state := State{Inputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun && req.Inputs.Create != nil {
		state.Streams, err = run(ctx, *req.Inputs.Create, req.Inputs, output.Streams{})
	}
	return infer.CreateResponse[State]{ID: id, Output: state}, err
}

// Update runs the update command, or the create command when there is no other.
func (Command) Update(ctx context.Context, req infer.UpdateRequest[Inputs, State]) (infer.UpdateResponse[State], error) {
	state := State{Inputs: req.Inputs, Streams: req.State.Streams}
	command := req.Inputs.Update
	if command == nil {
		command = req.Inputs.Create
	}
	var err error
	if !req.DryRun && command != nil {
		state.Streams, err = run(ctx, *command, req.Inputs, req.State.Streams)
	}
	return infer.UpdateResponse[State]{Output: state}, err
}

// Delete runs the delete command of the state over the connection of the state, if there is one.
func (Command) Delete(ctx context.Context, req infer.DeleteRequest[State]) (infer.DeleteResponse, error) {
	if req.State.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	_, err := run(ctx, *req.State.Delete, req.State.Inputs, req.State.Streams)
	return infer.DeleteResponse{}, err
}

// run runs a command on the target to its end. Cancelling ctx closes the connection.
func run(ctx context.Context, command string, inputs Inputs, previous output.Streams) (output.Streams, error) {
	client, err := inputs.Connection.dial(ctx)
	if err != nil {
		return output.Streams{}, err
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return output.Streams{}, err
	}
	defer func() { _ = session.Close() }()

	if inputs.Environment != nil {
		for name, value := range *inputs.Environment {
			if err := session.Setenv(name, value); err != nil {
				return output.Streams{}, fmt.Errorf("%s does not take the environment variable %s "+
					"(AcceptEnv in its sshd_config): %w", inputs.Connection.Host, name, err)
			}
		}
	}
	if inputs.AddPreviousOutputInEnv == nil || *inputs.AddPreviousOutputInEnv {
		for name, value := range previous.Variables() {
			if err := session.Setenv(name, value); err != nil {
				provider.GetLogger(ctx).Warningf("%s does not take %s (AcceptEnv in its sshd_config); "+
					"addPreviousOutputInEnv=False ends this warning", inputs.Connection.Host, name)
			}
		}
	}
	if inputs.Stdin != nil {
		session.Stdin = strings.NewReader(*inputs.Stdin)
	}
	collector := output.Collect(ctx, inputs.Logging)
	session.Stdout, session.Stderr = collector.Stdout, collector.Stderr
	return collector.Finish(command, session.Run(command))
}
