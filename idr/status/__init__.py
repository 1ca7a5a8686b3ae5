"""`idr status`: how every node is, asked on the node itself."""
