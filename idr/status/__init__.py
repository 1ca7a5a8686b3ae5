"""`idr status`: the state of every node, from the node itself."""
