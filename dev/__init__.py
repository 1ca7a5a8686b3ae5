"""Tools for working on this project on one machine; none of it is used by the real clouds."""
