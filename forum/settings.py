"""Every switch, read once from the environment or `.env`. Lines that begin with #: document a switch.

`docs/reference/settings.md` is written from them; a test compares the two.
"""

import sys
from pathlib import Path
from wsgiref.headers import Headers

import structlog
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from forum.logs import without_rows
from forum.running.secrets import database_url, secret_key
from forum.running.switches import Switches

BASE_DIR = Path(__file__).resolve().parent.parent
env = Switches()
Switches.read_env(BASE_DIR / ".env")

# --- where things lie -------------------------------------------------------------------------

#: Folder for everything the instance keeps: the embedded database, media, the secret key.
FORUM_DATA_DIR = Path(env.str("FORUM_DATA_DIR", str(BASE_DIR / "var"))).absolute()

#: An external PostgreSQL with pgvector >= 0.8.4, as postgres://user:password@host:port/name. Empty: the embedded one.
DATABASE_URL = env.str("DATABASE_URL", "") or database_url(FORUM_DATA_DIR)

#: The address by which `manage.py studio` reaches the database, with a role that may take jobs and nothing else. Empty: DATABASE_URL.
STUDIO_DATABASE_URL = env.str("STUDIO_DATABASE_URL", "")

#: A direct connection for LISTEN where DATABASE_URL leads through a pooler. Empty: the same as DATABASE_URL.
DIRECT_DATABASE_URL = env.str("DIRECT_DATABASE_URL", "") or DATABASE_URL

if sys.argv[1:2] == ["studio"] and STUDIO_DATABASE_URL:
    DATABASE_URL = DIRECT_DATABASE_URL = STUDIO_DATABASE_URL

#: The key that signs sessions and tickets, of 32 characters at least. Empty: made on first start and kept in FORUM_DATA_DIR/secret-key.
SECRET_KEY = env.str("SECRET_KEY", "") or secret_key(FORUM_DATA_DIR)

#: Earlier keys, comma-separated, that still open sessions signed with them.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# --- who may come -----------------------------------------------------------------------------

#: Names under which the site is reached, comma-separated.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

#: Full origins that may post forms, such as https://forum.example.org.
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

#: Whether the site is served over HTTPS: secure cookies, HSTS, redirects.
FORUM_HTTPS = env.bool("FORUM_HTTPS", False)

#: Whether a front server's X-Forwarded-For and X-Forwarded-Proto may be believed.
FORUM_BEHIND_PROXY = env.bool("FORUM_BEHIND_PROXY", False)

#: Who may sign up: open (anybody), invite (with a code), closed (nobody).
SIGNUP_MODE = env.str("SIGNUP_MODE", "open")

#: Who may make boards: members (all of them) or moderators.
FORUM_BOARD_MAKERS = env.str("FORUM_BOARD_MAKERS", "members")

#: The name of the site, shown in the bar.
SITE_NAME = env.str("SITE_NAME", "Gegenbild")

#: How to reach who runs the site, shown on the page About: an e-mail address, or an address that begins with https://.
FORUM_CONTACT = env.str("FORUM_CONTACT", "")

#: Where the source of what runs here can be had, shown on the page About. Name it if you changed the program.
FORUM_SOURCE_URL = env.str("FORUM_SOURCE_URL", "")

# --- limits -----------------------------------------------------------------------------------

#: Largest upload in megabytes.
FORUM_UPLOAD_MB = env.int("FORUM_UPLOAD_MB", 20)

#: Largest picture in megapixels; JPEGs up to twice that are decoded at a reduced scale.
FORUM_UPLOAD_MEGAPIXELS = env.int("FORUM_UPLOAD_MEGAPIXELS", 50)

#: Storage of one member in megabytes.
FORUM_MEMBER_STORAGE_MB = env.int("FORUM_MEMBER_STORAGE_MB", 2048)

#: Images one member may keep, withdrawn ones not counted. 0: as many as fit into FORUM_MEMBER_STORAGE_MB.
FORUM_IMAGES_PER_MEMBER = env.int("FORUM_IMAGES_PER_MEMBER", 10_000)

#: Images one member may upload in half an hour.
FORUM_UPLOADS_PER_HALF_HOUR = env.int("FORUM_UPLOADS_PER_HALF_HOUR", 30)

#: Derivatives one member may ask for in an hour.
FORUM_EDITS_PER_HOUR = env.int("FORUM_EDITS_PER_HOUR", 60)

#: Days after which a draft that nobody touched is thrown away, with the takes that were not published.
FORUM_DRAFT_DAYS = env.int("FORUM_DRAFT_DAYS", 7)

#: Replies of one member that may be waiting or running at once.
FORUM_EDITS_AT_ONCE = env.int("FORUM_EDITS_AT_ONCE", 5)

#: Of these, how many of one engine may run at the same time; the others wait even while machines are idle.
FORUM_EDITS_RUNNING = env.int("FORUM_EDITS_RUNNING", 4)

#: How many times a member's allowances for derivatives moderators and the owner have.
FORUM_MODERATORS_TIMES = env.int("FORUM_MODERATORS_TIMES", 4)

#: API calls of one member in a minute.
FORUM_API_PER_MINUTE = env.int("FORUM_API_PER_MINUTE", 120)

#: Pages, fragments and files one address may ask for in a minute, in each web process. A class shares one address.
FORUM_PAGES_PER_MINUTE = env.int("FORUM_PAGES_PER_MINUTE", 3000)

#: Wrong passwords for one name in a quarter of an hour; ten times as many from one address.
FORUM_LOGIN_FAILURES = env.int("FORUM_LOGIN_FAILURES", 10)

#: New accounts from one address in half an hour. A class that signs up together needs as many as it has pupils.
FORUM_SIGNUPS_PER_HALF_HOUR = env.int("FORUM_SIGNUPS_PER_HALF_HOUR", 40)

#: Reports one member may send in a day.
FORUM_REPORTS_PER_DAY = env.int("FORUM_REPORTS_PER_DAY", 20)

#: Space that must stay free on the storage, in megabytes.
FORUM_FREE_MB = env.int("FORUM_FREE_MB", 1024)

#: Sockets one member, and one address without account, may hold.
FORUM_SOCKETS_PER_MEMBER = env.int("FORUM_SOCKETS_PER_MEMBER", 20)
FORUM_SOCKETS_PER_ADDRESS = env.int("FORUM_SOCKETS_PER_ADDRESS", 200)

# --- making images ----------------------------------------------------------------------------

#: The preset that answers where a board names none.
FORUM_DEFAULT_PRESET = env.str("FORUM_DEFAULT_PRESET", "darkroom")

#: The preset that answers there instead while a worker with a GPU has it. Empty: none; an operator's own choice of a default comes before both.
FORUM_DEFAULT_GPU_PRESET = env.str("FORUM_DEFAULT_GPU_PRESET", "klein")

#: A TOML file laid over the shipped `generation/presets.toml`. Empty: presets.toml in FORUM_DATA_DIR, where it exists.
FORUM_PRESETS = env.str("FORUM_PRESETS", "")

#: Folder for the weights of engines, filled by `manage.py engines pull`. Empty: models in FORUM_DATA_DIR.
FORUM_MODELS_DIR = env.str("FORUM_MODELS_DIR", "")

#: How many pictures one worker makes at once, each in a process of its own. 0: as many as it has cores.
FORUM_STUDIO_HOSTS = env.int("FORUM_STUDIO_HOSTS", 0)

#: Devices for engines that need one, such as "0,1" for two GPUs or "cpu". Empty: every GPU that nvidia-smi knows, else the CPU.
FORUM_STUDIO_DEVICES = env.str("FORUM_STUDIO_DEVICES", "")

#: Presets that a device loads before anybody asks, such as "klein,sd-turbo": the first at once, the others as far as its memory holds them. Empty: those it serves, in the order of the preset files.
FORUM_STUDIO_WARM = env.str("FORUM_STUDIO_WARM", "")

#: Gigabytes that presets may take together on one device, by their vram_gb. 0: all that a GPU has; on a CPU there is room for one at a time.
FORUM_STUDIO_MEMORY_GB = env.float("FORUM_STUDIO_MEMORY_GB", 0)

#: Longest time in seconds that a worker which is asked to end waits for what it makes. It waits twice as long as the longest usually takes, 18 s at least where this allows it; a second signal ends it at once.
FORUM_DRAIN_SECONDS = env.float("FORUM_DRAIN_SECONDS", 600)

#: Let the libraries of engines reach the net. Weights are fetched by `manage.py engines pull`, so nothing needs it.
FORUM_STUDIO_ONLINE = env.bool("FORUM_STUDIO_ONLINE", False)

#: A word that lets a monitor read /metrics, as "Authorization: Bearer WORD". Empty: only the owner may, signed in.
FORUM_METRICS_TOKEN = env.str("FORUM_METRICS_TOKEN", "")

#: Row count from which the vector index serves searches.
FORUM_VECTOR_INDEX_FROM = env.int("FORUM_VECTOR_INDEX_FROM", 100_000)

# --- storage ----------------------------------------------------------------------------------

#: Bucket of an S3-compatible storage. Empty: files lie in FORUM_DATA_DIR/media.
FORUM_S3_BUCKET = env.str("FORUM_S3_BUCKET", "")

#: Address of the S3-compatible storage, where it is not Amazon's.
FORUM_S3_ENDPOINT = env.str("FORUM_S3_ENDPOINT", "")

#: Internal location of nginx for media, such as /protected/. Empty: Django streams the files.
FORUM_X_ACCEL = env.str("FORUM_X_ACCEL", "")

# --- for those who develop --------------------------------------------------------------------

#: Show errors in the browser. Never on a machine that others reach.
DEBUG = env.bool("DEBUG", False)

# --- what follows is wiring, not switches -----------------------------------------------------

INSTALLED_APPS = [
    "forum",
    "generation",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django_structlog",
    "procrastinate.contrib.django",
]

# Each change between synchronous and not costs a page a millisecond: what comes after the first is
# synchronous, and the last one, which knows no other way, holds all in between to that.
MIDDLEWARE = [
    "servestatic.middleware.ServeStaticMiddleware",
    "forum.live.headers.Headers",
    "forum.live.resting.Resting",
    "django.middleware.security.SecurityMiddleware",
    "forum.api.problems.Problems",
    "forum.live.limits.Pace",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "forum.members.middleware.Visitor",
    "allauth.account.middleware.AccountMiddleware",
    "forum.web.RequestLog",
    "forum.live.sense.Sense",
]

ROOT_URLCONF = "forum.urls"
ASGI_APPLICATION = "forum.asgi.application"

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
                "forum.web.context",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **env.database(DATABASE_URL),
        "CONN_HEALTH_CHECKS": True,
    }
}
_options = DATABASES["default"].setdefault("OPTIONS", {})
# An address names a socket folder as ?host=; Django and its tools look for it in HOST.
for _word in {"host", "port"} & set(_options):
    DATABASES["default"][_word.upper()] = str(_options.pop(_word))
# The timeout is that of one spell of waiting: `forum.running.pooled` adds them up to ten seconds.
_options.setdefault("pool", {"min_size": 1, "max_size": 8, "timeout": 1})
# Statements that come again are planned once for each connection: planning takes longer than most
# answers. A pooler shares connections between transactions, and the plans would be missing there.
_options.setdefault("server_side_binding", DIRECT_DATABASE_URL == DATABASE_URL)
_options.setdefault("prepare_threshold", 5 if _options["server_side_binding"] else None)
_options.setdefault(
    "options",
    # A page that takes 20 s is lost anyway; a migration of a large table may take longer.
    f"-c lock_timeout=5s -c statement_timeout={0 if 'migrate' in sys.argv else '20s'}"
    " -c idle_in_transaction_session_timeout=60s",
)

AUTH_USER_MODEL = "forum.Member"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "stream"
ACCOUNT_LOGOUT_REDIRECT_URL = "stream"
ACCOUNT_ADAPTER = "forum.members.accounts.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PRESERVE_USERNAME_CASING = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "signup": "forum.members.forms.SignUp",
    "login": "forum.members.forms.SignIn",
    "change_password": "forum.members.forms.ChangePassword",
}
# Our own ledger counts failures and new accounts, across processes: forum.members.accounts.
ACCOUNT_RATE_LIMITS = False

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "forum" / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "static-collected"
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
MEDIA_ROOT = FORUM_DATA_DIR / "media"

if FORUM_S3_BUCKET:
    _files = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": FORUM_S3_BUCKET,
            "endpoint_url": FORUM_S3_ENDPOINT or None,
            "querystring_expire": 60,
            "file_overwrite": False,
        },
    }
else:
    _files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # Nothing here has a public address: every byte passes a permission check.
        "OPTIONS": {"location": str(MEDIA_ROOT), "base_url": None},
    }
STORAGES = {
    "default": _files,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
DATA_UPLOAD_MAX_NUMBER_FILES = 4

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],
        "media-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = FORUM_HTTPS
if FORUM_HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_SSL_REDIRECT = FORUM_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if FORUM_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = FORUM_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "forum.live.errors.csrf_failure"
# Said with every answer that does not say otherwise, errors and refusals too.
FIXED_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _fix_headers(headers: Headers, path: str, url: str) -> None:
    """Static files are served before any other middleware could say them."""
    for name, value in FIXED_HEADERS.items():
        headers[name] = value


SERVESTATIC_ADD_HEADERS_FUNCTION = _fix_headers
if FORUM_BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        without_rows,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "logger", "event"], drop_missing=True
            ),
            "foreign_pre_chain": [
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
                without_rows,
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "forum": {"level": "INFO"},
        "generation": {"level": "INFO"},
        "procrastinate": {"level": "WARNING"},
        # A refused request is one line, which forum.web.RequestLog writes with its number.
        "django.request": {"level": "ERROR"},
        # Whoever tries names of hosts would fill the log, a trace each; they are answered 400.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
