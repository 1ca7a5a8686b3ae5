"""Somebody else's program: what it needs of the IDR it takes from the stack's outputs alone."""

import pulumi

idr = pulumi.StackReference(pulumi.Config().require("idrStack"))

topology = idr.require_output("topology")
pulumi.export("contract", idr.require_output("contract"))
pulumi.export("web", idr.require_output("endpoints").apply(lambda endpoints: endpoints["web"]))
pulumi.export("databases", topology.apply(lambda t: [n["address"] for n in t["nodes"] if "database" in n["roles"]]))
pulumi.export("liveRelease", idr.require_output("releases").apply(lambda all_: [r["name"] for r in all_ if r["live"]]))
pulumi.export("scraped", idr.require_output("prometheusTargets").apply(len))
