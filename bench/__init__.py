"""Measurements that anyone can repeat: each prints a ratio to a baseline of the same run."""
