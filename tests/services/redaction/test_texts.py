"""What looks like a secret is never shown, whatever its name or form; ordinary values are."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.redaction.names import is_secret_name
from services.redaction.texts import (
    HIDDEN,
    MOST_CHARACTERS,
    hide_in_command,
    hide_in_json,
    hide_in_words,
    hide_pairs,
    hide_value,
)

SECRETS = ("PASSWORD", "PASSWD", "TOKEN", "SECRET", "KEY", "CONNECTION_STRING", "CREDENTIALS", "API_KEY", "PASSPHRASE")
BEFORE = some.sampled_from(["", "DB_", "MYSQL_", "app.", "Contoso__", "X-", "storage-"])
WORDS = some.sampled_from(
    [*SECRETS, *(one.lower() for one in SECRETS), "accountKey", "ClientSecret", "connectionString"]
)
AFTER = some.sampled_from(["", "_1", "_OLD", "2"])
NAMES = some.builds(lambda *parts: "".join(parts), BEFORE, WORDS, AFTER)
# With a beginning that is in no name and no command, so that it can be looked for.
MARK = "zq7"
VALUES = some.text(string.ascii_letters + string.digits + string.punctuation + " ", max_size=30).map(
    lambda end: f"{MARK}{end}{MARK}"
)
BARE = some.text(string.ascii_letters + string.digits + "+/=_-.~!%^*", max_size=30).map(
    lambda end: f"{MARK}{end}{MARK}"
)
BASE64 = string.ascii_letters + string.digits + "+/"
URL_SAFE = string.ascii_letters + string.digits + "-_"


def text_of(alphabet: str, least: int, most: int) -> some.SearchStrategy[str]:
    return some.text(alphabet, min_size=least, max_size=most)


FORMS = some.one_of(
    some.builds(lambda one, two: f"eyJ{one}.eyJ{two}.{one}", text_of(URL_SAFE, 8, 30), text_of(URL_SAFE, 1, 30)),
    text_of(BASE64, 86, 86).map(lambda key: f"{key}=="),
    text_of(BASE64, 40, 60).map(lambda body: f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"),
    text_of(BASE64, 40, 60).map(lambda body: f"-----BEGIN OPENSSH PRIVATE KEY-----\\n{body}"),
    text_of(string.ascii_letters + string.digits, 36, 36).map(lambda one: f"ghp_{one}"),
    text_of(string.ascii_letters + string.digits, 34, 34).map(lambda one: f"abc8Q~{one}"),
)


@given(NAMES, VALUES)
def test_what_a_name_says_is_secret_is_never_shown(name: str, value: str) -> None:
    assert is_secret_name(name)
    assert hide_value(name, value) == HIDDEN
    assert hide_pairs([(name, value)]) == ((name, HIDDEN),)
    assert hide_in_json({"annotations": {name: value}}) == {"annotations": {name: HIDDEN}}


@given(NAMES, VALUES)
def test_no_word_of_an_entrypoint_shows_it(name: str, value: str) -> None:
    for words in (("app", f"--{name}", value, "end"), ("app", f"--{name}={value}"), ("env", f"{name}={value}", "app")):
        assert MARK not in " ".join(hide_in_words(words))
        assert name in " ".join(hide_in_words(words))


@given(NAMES, VALUES, BARE)
def test_no_step_of_a_build_shows_it(name: str, value: str, bare: str) -> None:
    double = json.dumps(value)[1:-1].replace("$", r"\$").replace("`", r"\`")
    single = value.replace("'", "")
    name = name.replace("-", "_")
    for step in (
        f"/bin/sh -c #(nop)  ENV {name}={value}",
        f"/bin/sh -c #(nop)  ENV A=b {name}={value} C=d",
        f"ENV {name} {value}",
        f"ARG {name}={value}",
        f"LABEL a=b {name}={value}",
        f"RUN |2 VERSION=1 {name}={value} /bin/sh -c make install # buildkit",
        f'/bin/sh -c export {name}="{double}" && make',
        f"/bin/sh -c export {name}='{single}'; make",
        f"/bin/sh -c export '{name}={single}'; make",
        f"/bin/sh -c {name}={bare} make",
        f"RUN /bin/sh -c app --{name} {bare} && make # buildkit",
        f'RUN /bin/sh -c curl -d \'{{"user": "me", "{name}": "{double}"}}\' https://api.contoso.com',
        f'CMD ["app" "--{name}={double}"]',
        f'ENTRYPOINT ["app", "--{name}", "{double}"]',
    ):
        shown = hide_in_command(step)
        assert MARK not in shown, (step, shown)
        assert name in shown


@given(FORMS, some.sampled_from(["VALUE", "CONFIG", "org.contoso.note"]), some.sampled_from(["", "x=1;", "a "]))
def test_what_is_secret_by_its_form_is_shown_under_no_name(secret: str, name: str, before: str) -> None:
    assert hide_value(name, before + secret) == HIDDEN
    assert secret not in hide_in_command(f"RUN /bin/sh -c app '{secret}' && make")
    assert secret not in " ".join(hide_in_words(["app", secret]))


@given(BARE.map(lambda one: one.replace("%", "").replace("/", "")), some.sampled_from(["https", "postgres", "amqp"]))
def test_the_password_in_an_address_is_never_shown(password: str, scheme: str) -> None:
    address = f"{scheme}://user:{password}@host.contoso.com:5432/db?x=1"
    assert hide_value("ADDRESS", address) == HIDDEN
    shown = hide_in_command(f"RUN git clone {address}")
    assert MARK not in shown
    assert "host.contoso.com" in shown


@pytest.mark.parametrize(
    "value",
    [
        "DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=Zm9v;EndpointSuffix=core.windows.net",
        "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=Zm9v",
        "Server=tcp:contoso.database.windows.net;User ID=app;Password=hunter2;Encrypt=true",
        "https://contoso.blob.core.windows.net/c?sv=2024-11-04&sp=r&sig=Zm9vYmFy%2Fbaz%3D",
        "SharedAccessSignature sr=contoso&sig=Zm9vYmFyYmF6&se=1",
        "redis://:hunter2@cache:6379/0",
        "https://0123456789abcdef0123@sentry.contoso.com/1",
        '{"auths":{"contoso.azurecr.io":{"auth":"dTpw","password":"hunter2"}}}',
        "-Xmx1g -Djavax.net.ssl.keyStorePassword=changeit",
        "Authorization: Basic dTpw",
        "A" * 42 + "+ACRabcdef",
    ],
)
def test_a_value_that_holds_a_secret_is_hidden(value: str) -> None:
    assert hide_value("VALUE", value) == HIDDEN


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("az login -u app -p 'hunter 2' && x", f"az login -u app -p {HIDDEN} && x"),
        ("docker login -u app --password=$TOKEN contoso.azurecr.io", None),
        ("curl -u app:hunter2 https://x", f"curl -u {HIDDEN} https://x"),
        ("echo root:hunter2 | chpasswd", f"echo root:{HIDDEN} | chpasswd"),
        ("curl -H 'Authorization: Bearer abc' https://x", f"curl -H 'Authorization: {HIDDEN}' https://x"),
        ("sshpass -p hunter2 ssh host", f"sshpass -p {HIDDEN} ssh host"),
        ("mysql -uroot -phunter2 db", f"mysql -uroot -p{HIDDEN} db"),
        ("/bin/sh -c export TOKEN=a && make", f"/bin/sh -c export TOKEN={HIDDEN} && make"),
    ],
)
def test_a_command_keeps_what_is_no_secret(command: str, shown: str | None) -> None:
    assert hide_in_command(command) == (shown or command)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("LANG", "C.UTF-8"),
        ("PWD", "/app"),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("KEY_VAULT_NAME", "kv-contoso"),
        ("KEY_VAULT_URI", "https://kv-contoso.vault.azure.net/"),
        ("KEYCLOAK_URL", "https://id.contoso.com:8443/realms/x"),
        ("GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"),
        ("PYTHON_SHA256", "8fb5f9fbc7609fa822cb31549884575db7fd9657cbffb89510b5d7975963a83a"),
        ("NGINX_GPGKEYS", "573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("MAX_TOKENS", "4096"),
        ("TOKEN_TTL", "3600"),
        ("PASSWORD_FILE", "/run/secrets/db"),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("TLS_KEY", "/etc/tls/tls.key"),
        ("AZURE_CLIENT_ID", "b63a40da-5629-452a-9350-e48460eae13f"),
        ("HTTP_PROXY", "http://proxy.contoso.com:3128/"),
        ("JAVA_OPTS", "-Xmx1g -Dfile.encoding=UTF-8"),
        ("ASPNETCORE_URLS", "http://+:8080"),
        ("TOKEN", ""),
        ("CA", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
        ("org.opencontainers.image.source", "https://github.com/contoso/secret-store"),
        ("org.opencontainers.image.revision", "9f3c2b1a9f3c2b1a9f3c2b1a9f3c2b1a9f3c2b1a"),
        ("org.opencontainers.image.base.digest", "sha256:" + "0a" * 32),
        ("maintainer", "Registry team <registry@contoso.com>"),
    ],
)
def test_an_ordinary_value_is_shown(name: str, value: str) -> None:
    assert hide_value(name, value) == value


@pytest.mark.parametrize(
    "command",
    [
        '/bin/sh -c #(nop)  CMD ["node" "server.js"]',
        "COPY --from=contoso.azurecr.io/token-service:v1 /app /app # buildkit",
        "RUN /bin/sh -c apt-key adv --keyserver hkp://keys.contoso.com --recv-keys 573BFD6B",
        'RUN /bin/sh -c [ "$KEY" = x ] && wget -O python.tar.xz "https://www.python.org/ftp/python.tar.xz"',
        "RUN --mount=type=secret,id=npm npm ci",
        "WORKDIR /app",
        "EXPOSE map[80/tcp:{}]",
        "ENV PATH=/usr/local/bin:/usr/bin LANG=C.UTF-8",
        "RUN /bin/sh -c git clone https://oauth2:${TOKEN}@git.contoso.com/app",
    ],
)
def test_an_ordinary_step_is_shown(command: str) -> None:
    assert hide_in_command(command) == command


@given(some.text(max_size=80), some.text(string.ascii_letters + "=:\"' -/@$;|\\{}", max_size=80))
def test_any_text_is_read(text: str, shell: str) -> None:
    for one in (text, shell):
        hide_value(one, one)
        hide_in_command(one)
        hide_in_words([one, one])


def test_a_manifest_keeps_all_but_its_secrets() -> None:
    digest = "sha256:" + "0" * 64
    body = {
        "config": {"digest": digest, "size": 2},
        "layers": [{"digest": digest, "annotations": {"build.token": "zq7", "title": "app"}}],
        "history": [{"v1Compatibility": '{"config":{"Env":["DB_PASSWORD=zq7","A=b"]}}'}],
    }
    shown = json.dumps(hide_in_json(body))
    assert MARK not in shown
    assert "A=b" in shown
    assert hide_in_json(body)["config"] == body["config"]
    assert hide_in_json(body)["layers"][0]["annotations"] == {"build.token": HIDDEN, "title": "app"}


@pytest.mark.parametrize("unit", ["a://b:", "_eyJ", "x "])
def test_a_text_too_long_to_be_looked_through_is_hidden(unit: str) -> None:
    text = unit * (MOST_CHARACTERS // len(unit) + 1)
    assert hide_value("description", text) == hide_in_command(text) == HIDDEN
    assert hide_in_json({"annotations": {"a": text}, "v1Compatibility": text}) == {
        "annotations": {"a": HIDDEN},
        "v1Compatibility": HIDDEN,
    }
    assert hide_in_words(["app", text]) == ("app", HIDDEN)


@pytest.mark.parametrize(
    "secret", ["a://b:" * 10_000, "_eyJ" * 15_000, "eyJhbGciOi." + "a" * 9_000, "https://user:" + "p" * 3_000 + "@host"]
)
def test_what_is_as_long_as_no_secret_is_hidden_without_its_end_being_looked_for(secret: str) -> None:
    assert hide_value("description", secret) == HIDDEN
    assert len(hide_in_command(f"run {secret}")) < 100


def test_a_long_password_of_an_address_is_hidden_up_to_its_at() -> None:
    assert hide_in_command(f"git clone https://me:{'p' * 1000}@host/x") == f"git clone https://me:{HIDDEN}@host/x"
