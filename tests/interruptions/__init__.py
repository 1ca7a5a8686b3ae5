"""Interrupts deployments at every event and records each end: see `sweep`, and docs/interruptions.md for the result.

An event is a request that changes the cloud, counted in the order of arrival. An interruption comes just before the
request is carried out, or after that and before its answer.
"""
