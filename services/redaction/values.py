"""Which values are secrets by their form, whatever their name. Pure.

Forms: https://learn.microsoft.com/azure/storage/common/storage-sas-overview (sig of a SAS),
https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string (AccountKey),
https://datatracker.ietf.org/doc/html/rfc7519 (JWT), https://datatracker.ietf.org/doc/html/rfc7468 (PEM),
https://datatracker.ietf.org/doc/html/rfc3986#section-3.2.1 (user:password@).
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

_PUBLIC = r"(?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|X509 CRL|CERTIFICATE REQUEST|PGP PUBLIC KEY BLOCK|PGP SIGNATURE)"
_FORMS = (
    # A PEM block that is nobody's certificate: to its end, or to that of the text.
    re.compile(rf"-----BEGIN (?!{_PUBLIC}-----)[A-Z0-9 ]+-----(?:.*?-----END [A-Z0-9 ]+-----|.*)", re.DOTALL),
    # What is so long is taken for a part of one without its end being looked for, which would take for ever where it is
    # repeated; below, of a password in an address too.
    re.compile(r"(?<![A-Za-z0-9-])eyJ(?:[\w-]{6,2048}\.(?:[\w-]{0,8192}\.|[\w-]{8192})[\w.-]*|[\w-]{2048,})"),
    re.compile(r"(?<![A-Za-z0-9])(?i:sig=)[^\s&\"';]{8,}"),
    # Keys of storage, Cosmos DB, Service Bus; passwords of registries; client secrets of Entra.
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])"),
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9+/]{6}"),
    re.compile(r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}"),
    # Tokens that begin with what they are: GitHub, GitLab, Slack, Stripe, npm, Google, Docker, Vault, PyPI, OpenAI.
    re.compile(
        r"(?<![A-Za-z0-9])(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{8,}"
        r"|[rs]k_(?:live|test)_\w{8,}|npm_\w{30,}|AIza[\w-]{30,}|dckr_pat_[\w-]{16,}|hvs\.[\w-]{16,}|pypi-[\w-]{16,}"
        r"|sk-[\w-]{20,})"
    ),
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{16,}"),
)
# Whatever is between the colon and the last @ of an address, but for a port and its path; and a long user name alone.
_USER_INFO = re.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://"
    r"(?:[^\s/@:\"']*:(?!\d+(?:/|\s|$))(?:([^\s\"']{1,1024})@|([^\s\"']{1024,}))|([^\s/@:\"']{16,})@)"
)
# A variable in its place: nothing is told.
_VARIABLE = re.compile(r"\$\{\w+\}|\$[A-Z_][A-Z0-9_]*|\$\(\w+\)")


def secret_forms(text: str) -> Iterator[Span]:
    """Where in the text a secret begins and ends, by its form alone: SAS signatures, keys of Azure, JWTs, PEM blocks of
    private keys, passwords in addresses, tokens with a known beginning."""
    for form in _FORMS:
        for found in form.finditer(text):
            start = found.start() + 4 if found[0][:4].lower() == "sig=" else found.start()
            yield start, found.end()
    for found in _USER_INFO.finditer(text):
        group = next(number for number in (1, 2, 3) if found[number])
        if not is_variable(found[group]):
            yield found.span(group)


def is_variable(text: str) -> bool:
    """Whether the text is a shell's variable, which says nothing of its value."""
    return bool(_VARIABLE.fullmatch(text.strip("\"'")))
