"""Deploys the stack `local`: the IDR on one machine."""
