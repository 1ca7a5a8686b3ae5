"""`idr init`: a stack file for a cloud, from what that cloud has."""
