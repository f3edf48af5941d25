"""Which names say that their value is a secret. Pure.

A name is read by its words: DB_PASSWORD, clientSecret, storage-account-key. No name is on a list of its own.
"""

import re

# As a part of a word too: PGPASSWORD, GITHUBTOKEN. TOKENIZERS_PARALLELISM is none.
_PARTS = re.compile(
    r"passw(?:or)?d|passphrase|secret|token(?!iz)|credential|connectionstring|connstr"
    r"|(?:api|ssh|access|account|private|storage|master|shared|encryption|signing|license|function|host|auth"
    r"|instrumentation)keys?$"
)
_WORDS = {"pass", "passcode", "pwd", "pw", "key", "keys", "pat", "sas", "apikey"}
_KEYS = {"key", "keys"}
# What a key is called that is none, or that everybody may have: GPG_KEY of Python's images, KEY_VAULT_NAME.
_BEFORE_KEY = {"gpg", "gpgkey", "pgp", "public", "pub", "partition", "sort", "foreign", "cache", "recv"}
_AFTER_KEY = {"vault", "id", "ids", "ring", "server"}
# Behind a secret's name: what is about the secret, or where it is. A password in an address is found by its value.
_ABOUT = frozenset(
    re.findall(
        r"\w+",
        "file path dir directory url uri endpoint name username user ttl length size type algorithm alg version expiry "
        "expiration expires lifetime duration seconds minutes hours days enabled disabled required optional count "
        "limit timeout policy issuer audience host port provider server service alias scope scopes location mode "
        "format header region interval retries prefix",
    )
)
# Beside a number: how much of it, and no secret.
_MEASURES = {"max", "min", "num", "number", "total", "rotation", "bits", "rounds"}
_SHELL = {"PWD", "OLDPWD"}

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?[a-z]{0,2}")
_SWITCH = {"", "true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled"}
_KEY_FILE = re.compile(r"[\w./~-]+\.(?:pem|key|crt|pub|asc|gpg|p12|pfx|jks)")


def is_secret_name(name: str) -> bool:
    """Whether the name says that its value is a secret: the words password, token, secret, key, connection string and
    the like, unless its last word says that it is about one (PASSWORD_FILE, TOKEN_TTL, KEY_VAULT_NAME)."""
    if name in _SHELL:
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    joined = "connectionstring" in "".join(words)
    return joined or words[-1] == "auth" or any(_PARTS.search(word) for word in words) or _has_secret_word(words)


def is_harmless(name: str, value: str) -> bool:
    """Whether a value is none that a secret has, though its name is that of one: a switch, a measure, a key's file."""
    plain, words = value.strip(), {word.lower() for word in _WORD.findall(name)}
    if plain.lower() in _SWITCH:
        return True
    if words & _MEASURES and _NUMBER.fullmatch(plain):
        return True
    return bool(words & _KEYS) and not _PARTS.search(name.lower()) and bool(_KEY_FILE.fullmatch(plain))


def _has_secret_word(words: list[str]) -> bool:
    for at, word in enumerate(words):
        if word in _KEYS:
            before, after = words[max(at - 1, 0) : at], words[at + 1 : at + 2]
            if not (_BEFORE_KEY & set(before) or _AFTER_KEY & set(after)):
                return True
        elif word in _WORDS:
            return True
    return False
