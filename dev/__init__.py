"""Tools to develop this project on one machine; deployments on real clouds use none of them."""
