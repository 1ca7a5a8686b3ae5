"""Interrupts deployments at every event and records each end: see `sweep`, and docs/interruptions.md for the result.

An event is a request that changes the cloud, counted in the order of their arrival; what is interrupted, it is either
just before the request is carried out or just after that, before its answer.
"""
