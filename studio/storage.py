"""Where static files are served from: hashed names, compressed, cached for ever."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStatic(CompressedManifestStaticFilesStorage):
    """Also rewrites `import "./x.js"` inside ES modules to the hashed name."""

    support_js_module_import_aggregation = True
