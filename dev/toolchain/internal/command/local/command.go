// Package local runs commands on the machine of the engine.
package local

import (
	"context"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"idr/toolchain/internal/command/output"
)

// Command is the resource command:local:Command.
type Command struct{}

// Inputs are those of pulumi_command.local.Command.
type Inputs struct {
	Settings
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
}

// State is what the engine keeps of a command.
type State struct {
	Inputs
	output.Streams
}

// Check refuses inputs that only the official plugin knows, rather than to ignore them.
func (Command) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[Inputs], error) {
	inputs, failures, err := infer.DefaultCheck[Inputs](ctx, req.NewInputs)
	for _, name := range []string{"assetPaths", "archivePaths"} {
		if _, given := req.NewInputs.GetOk(name); given {
			failures = append(failures, provider.CheckFailure{
				Property: name, Reason: "not supported by this build of the command plugin; the official one has it",
			})
		}
	}
	return infer.CheckResponse[Inputs]{Inputs: inputs, Failures: failures}, err
}

// Create runs the create command, if there is one.
func (Command) Create(ctx context.Context, req infer.CreateRequest[Inputs]) (infer.CreateResponse[State], error) {
	state := State{Inputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun && req.Inputs.Create != nil {
		state.Streams, err = run(ctx, *req.Inputs.Create, req.Inputs.Settings, output.Streams{})
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
		state.Streams, err = run(ctx, *command, req.Inputs.Settings, req.State.Streams)
	}
	return infer.UpdateResponse[State]{Output: state}, err
}

// Delete runs the delete command of the state, if there is one.
func (Command) Delete(ctx context.Context, req infer.DeleteRequest[State]) (infer.DeleteResponse, error) {
	if req.State.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	_, err := run(ctx, *req.State.Delete, req.State.Settings, req.State.Streams)
	return infer.DeleteResponse{}, err
}
