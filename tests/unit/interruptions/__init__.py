"""Tests of the program that interrupts deployments, without a deployment."""
