"""Programs as the IDR's users have them, in a Python environment and a view of the network of their own."""
