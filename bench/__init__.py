"""Benchmarks: what a user waits for, against a floor or a peer in the same run."""
