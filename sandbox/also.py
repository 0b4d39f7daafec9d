"""Further ids under which a model is served: those of ``--also``, and only those.

Whatever else is asked for is answered as the provider answers for an id that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sandbox.ark_models import MODELS
from sandbox.engines import ENGINES
from sandbox.videos import VIDEOS


def serve_also(pairs: Mapping[str, str]) -> None:
    """Serve each new id of ``pairs`` as the known one it names.

    Raises ValueError with one sentence where that is unknown, or the new one is not.
    """
    known = ENGINES.keys() | VIDEOS.keys() | MODELS.keys()
    for new, old in pairs.items():
        if old not in known:
            raise ValueError(f"--also {new}={old}: {old} is not served")
        if new in known:
            raise ValueError(f"--also {new}={old}: {new} is served already")
        if old in ENGINES:
            ENGINES[new] = replace(ENGINES[old], req_key=new)
        elif old in VIDEOS:
            VIDEOS[new] = replace(VIDEOS[old], req_key=new)
        else:
            MODELS[new] = replace(MODELS[old], name=new)
