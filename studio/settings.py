"""Every setting of the studio, in one file, read top to bottom.

The environment decides (README, "Configuration"); nothing else in the code asks which tier it runs in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from studio import env, mail, store

django_stubs_ext.monkeypatch()  # ModelAdmin[Job] and the like

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)

# --- Who may ask, and how they are told apart -------------------------------------------------

DEBUG = env.flag("DEBUG")
TESTING = env.flag("DIPTYCH_TESTING")
SECRET_KEY = env.kept_secret("SECRET_KEY", VAR_DIR / "secret_key")
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS", "")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL").rstrip("/")
# Where `make run` serves the pages; a provider on this machine fetches references from there.
OWN_BASE_URL = f"http://127.0.0.1:{int(env.number('PORT', 8000))}"
HTTPS = PUBLIC_BASE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL] if PUBLIC_BASE_URL else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 31_536_000
X_FRAME_OPTIONS = "DENY"

AUTH_USER_MODEL = "generations.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT = 86_400
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "generations.views.account.client_address"
AXES_LOCKOUT_CALLABLE = "generations.views.account.locked_out"
AXES_VERBOSE = False

# --- What it is made of -----------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "axes",
    "django_q",
    "generations",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "studio.middleware.ResponseHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "studio.middleware.LastSeen",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "studio.middleware.HtmxSignIn",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "studio.urls"
ASGI_APPLICATION = "studio.asgi.application"
WSGI_APPLICATION = "studio.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "generations.views.chrome.chrome",
            ],
        },
    },
]
# One strict policy for every page, the admin included: nothing inline, nothing evaluated.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    },
}

# --- Where things are kept --------------------------------------------------------------------

DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}"), conn_max_age=0
    )
}
SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if SQLITE:
    # IMMEDIATE: a transaction that will write takes the lock at once, so two can never both read
    # and then overwrite. FULL: a saved provider task id must survive a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
# How often a web process looks for events. PostgreSQL tells it, so there it is for safety only.
EVENTS_POLL_S = env.number("EVENTS_POLL", 0.25 if SQLITE else 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# Uploads go to disk, capped: views/uploads.py.
FILE_UPLOAD_HANDLERS = ["generations.views.uploads.CappedUpload"]
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(VAR_DIR / "media")))
TEMP_ROOT = VAR_DIR / "tmp"
# Nothing is fetched while less than this is free: the database needs room too.
DISK_FLOOR = int(env.number("DISK_FLOOR_MB", 500) * 1_000_000)
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "studio.storage.HashedStatic"},
    **(REFERENCE_STORE := store.reference_store()).storages,
}
FILE_UPLOAD_PERMISSIONS = 0o600
# 500 lines of prompts, 800 characters of three bytes each, and a long list to refuse in words.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# --- Languages and time -----------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "Asia/Shanghai")
# Providers bill by the Chinese day, wherever the server stands.
ALLOWANCE_TIME_ZONE = "Asia/Shanghai"

# --- Mail: a forgotten password, and what administrators must know ----------------------------

_MAIL = mail.server(env.text("EMAIL_URL"))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _MAIL.backend, _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.starttls, _MAIL.tls
EMAIL_TIMEOUT = 20
EMAIL_SUBJECT_PREFIX = "[Diptych] "
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Diptych <diptych@localhost>")

# Who is told when a key is refused, a worker is dead, pictures are at risk or the disk is filling.
ADMINS = [(address, address) for address in env.names("ADMIN_EMAILS", "")]
ALERT_WEBHOOK_URL = mail.webhook(env.text("ALERT_WEBHOOK_URL"))

# --- The providers ----------------------------------------------------------------------------

SANDBOX_PORT = int(env.number("SANDBOX_PORT", 9100))
# One account each: access key, secret key and, for temporary ones, the session token.
VOLC_KEYS = env.key_pairs("VOLC")
VOLC_KEYS_MISSING = env.half_pairs("VOLC")
VOLC_BASE_URL = env.text("VOLC_BASE_URL", "https://visual.volcengineapi.com")
# Ark knows an API key only, and no pairs.
ARK_KEYS = [(env.text("ARK_API_KEY"), "", "")] if env.text("ARK_API_KEY") else []
ARK_BASE_URL = env.text("ARK_BASE_URL", "https://ark.cn-beijing.volces.com/api/v3")
# With any real key nothing goes to the sandbox: a provider without one has no account.
LIVE = bool(VOLC_KEYS or ARK_KEYS)
if not LIVE and "127.0.0.1" not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append("127.0.0.1")  # the sandbox fetches references there, behind any proxy
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
_MORE = [pair.partition(":") for pair in env.names("SANDBOX_MORE_KEYS", "")]
SANDBOX_KEYS = [("AKSANDBOX", "SKSANDBOX", ""), *((key, secret, "") for key, _, secret in _MORE)]
SANDBOX_ARK_KEYS = [("ARK-SANDBOX", "", "")]
SANDBOX_ARK_URL = f"{SANDBOX_URL}/api/v3"

DEMO_PASSWORD = env.text("DIPTYCH_DEMO_PASSWORD")

# --- The run engine (architecture section 6) --------------------------------------------------

ENGINE = {
    "lease_s": env.number("ENGINE_LEASE", 30),
    "renew_s": env.number("ENGINE_RENEW", 10),
    "slice_s": env.number("ENGINE_SLICE", 45),
    "scan_s": 0.1,
    "ensure_s": env.number("ENGINE_ENSURE", 5),
    # How long to wait before asking again, as a part of the usual: tests have less than people.
    "patience": env.number("ENGINE_PATIENCE", 1),
    # Well below the watchdog's limit for the media cluster.
    "download_s": env.number("ENGINE_DOWNLOAD", 18),
    # Longer than a step of fetching ever takes: one that is silent for so long has died.
    # A worker's time-out, and as much shorter as a test's leases are.
    "finish_lease_s": env.number("ENGINE_FINISH_LEASE", 3 * env.number("ENGINE_LEASE", 30)),
    "threads": int(env.number("ENGINE_THREADS", 96)),
    # For calls whose answer is the result: each holds its thread for minutes.
    "slow_threads": int(env.number("ENGINE_SLOW_THREADS", 64)),
    "stop_grace_s": env.number("STOP_GRACE", 120),
}
_CLUSTER: dict[str, Any] = {
    "orm": "default",
    "queue_limit": 4,
    "bulk": 1,
    "poll": 0.2,
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "recycle": 500,
    "guard_cycle": 0.5,
    "log_level": "WARNING",
    "label": "Tasks",
}
_DRIVERS = max(4, 2 + len(VOLC_KEYS or SANDBOX_KEYS) + 2 * len(ARK_KEYS or SANDBOX_ARK_KEYS))
Q_CLUSTER: dict[str, Any] = {
    "name": "diptych",
    **_CLUSTER,
    "workers": 1,
    "timeout": 90,
    "retry": 180,
    "ALT_CLUSTERS": {
        # A driver for each account, one more that waits for Ark's answers, two for everything else.
        "drive": {
            **_CLUSTER,
            "workers": _DRIVERS,
            "queue_limit": _DRIVERS,
            "timeout": 720,
            "retry": 900,
        },
        "media": {**_CLUSTER, "workers": 2, "queue_limit": 2, "timeout": 90, "retry": 180},
    },
}

# --- What is written down ---------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "WARNING")},
    "loggers": {
        "generations": {"level": env.text("LOG_LEVEL", "INFO")},
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        **{name: {"level": "WARNING"} for name in ("axes", "boto3", "botocore", "s3transfer")},
    },
}
