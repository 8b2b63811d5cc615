"""Runs a plan: the only orchestrator."""
