"""The chaos harness: the real processes, a provider with faults, people who click twice, and a nemesis.

`make chaos KILLS=60 JOBS=600 SEED=1` runs it; `run` is the whole story, `checker` the verdict.
"""
