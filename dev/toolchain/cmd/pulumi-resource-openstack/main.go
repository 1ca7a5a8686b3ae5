// Command pulumi-resource-openstack is the Pulumi resource plugin of OpenStack, for the PyPI SDK pulumi_openstack.
//
// The engine starts it. By hand, `pulumi-resource-openstack --names` prints as JSON the tokens and property names
// that it serves, for the comparison with the SDK.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"idr/toolchain/internal/openstack"
	"idr/toolchain/internal/parent"
)

// version is set by the linker. It must be that of the SDK, because the engine asks for the SDK's version.
var version = "0.0.0"

func main() {
	info := openstack.Provider(version)
	if len(os.Args) == 2 && os.Args[1] == "--names" {
		if err := json.NewEncoder(os.Stdout).Encode(openstack.Describe(info)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	parent.Watch()
	tfbridge.Main("openstack", version, info, nil)
}
