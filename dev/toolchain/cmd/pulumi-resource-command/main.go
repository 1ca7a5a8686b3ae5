// Command pulumi-resource-command is a Pulumi resource plugin that runs commands here and over ssh, for the PyPI SDK
// pulumi_command. The engine starts it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"

	"idr/toolchain/internal/command/local"
	"idr/toolchain/internal/command/remote"
	"idr/toolchain/internal/parent"
)

// version is set by the linker. It must be that of the SDK, because the engine asks for the SDK's version.
var version = "0.0.0"

func main() {
	parent.Watch()
	provider, err := infer.NewProviderBuilder().
		WithResources(
			infer.Resource(local.Command{}),
			infer.Resource(remote.Command{}),
			infer.Resource(remote.CopyToRemote{}),
		).
		WithFunctions(infer.Function(local.Run{})).
		Build()
	if err == nil {
		err = provider.Run(context.Background(), "command", version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
