"""The studio's settings for tests that run inside the test process.

pytest-django loads settings before any conftest, so the environment is put right here: a folder of its
own, no credentials, whatever the developer's shell holds. Child processes inherit that environment and
run under the real `studio.settings`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_ours = tempfile.mkdtemp(prefix="diptych-test-")
atexit.register(shutil.rmtree, _ours, ignore_errors=True)

_LEFT_OUT = (
    *("VOLC_ACCESS_KEY", "VOLC_SECRET_KEY", "VOLC_SESSION_TOKEN", "VOLC_BASE_URL"),
    *("DATABASE_URL", "MEDIA_ROOT", "SECRET_KEY", "PUBLIC_BASE_URL", "ALLOWED_HOSTS"),
    *("DEBUG", "LOG_LEVEL", "TIME_ZONE", "SANDBOX_PORT", "PORT", "DIPTYCH_CRASH_AT"),
    *("EMAIL_URL", "EMAIL_FROM"),
)
_ROOMS = ("VOLC_", "ARK_", "SANDBOX_", "REFERENCE_STORE_")
_keys = [name for name in os.environ if name.startswith(_ROOMS)]
for _name in (*_LEFT_OUT, *_keys):
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
os.environ.update(
    VAR_DIR=_ours,
    DIPTYCH_TESTING="1",
    SECRET_KEY="test-only-secret-key-of-no-value-to-anybody",
    DJANGO_SETTINGS_MODULE="studio.settings",
)
if _url := os.environ.get("DIPTYCH_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = _url

from studio.settings import *  # noqa: F403  (all of them, then the few that differ)
from studio.settings import MEDIA_ROOT, STORAGES, TEMP_ROOT, VAR_DIR

# Of its own and empty: the real one may be collected anew while this process looks at it.
STATIC_ROOT = VAR_DIR / "static"
for _folder in (MEDIA_ROOT, TEMP_ROOT, STATIC_ROOT):
    _folder.mkdir(parents=True, exist_ok=True)
# Hashed names need collectstatic first; the live fixtures use the real storage.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Slow on purpose in production; here a hundred sign-ins should not take a minute.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
