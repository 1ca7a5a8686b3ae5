"""The `idr` command: what operators do besides `pulumi up`."""
