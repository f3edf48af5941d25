"""The lines that sign a tool in to a registry, and make what it signs in with."""

from services.commands.shell import shell_line


def sign_in(registry: str) -> str:
    """Needs a running docker; `sign_in_with_token` does not."""
    return shell_line("az", "acr", "login", "--name", registry)


def sign_in_with_token(registry: str, login_server: str) -> str:
    """`docker login` with a token that lives three hours, passed on standard input, so that no history keeps it."""
    return _with_token(registry, "docker", login_server)


def podman_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for podman."""
    return _with_token(registry, "podman", login_server)


def helm_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for charts: helm keeps its sign-in apart from docker's."""
    return _with_token(registry, "helm registry", login_server)


def oras_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for oras."""
    return _with_token(registry, "oras", login_server)


def _with_token(registry: str, client: str, login_server: str) -> str:
    token = shell_line("az", "acr", "login", "--name", registry, "--expose-token", "--query", "accessToken")
    # The user name is the null UUID: https://learn.microsoft.com/azure/container-registry/container-registry-authentication
    user = "00000000-0000-0000-0000-000000000000"
    sign_in = shell_line(*client.split(), "login", login_server, "--username", user)
    return f"{token} --output tsv | {sign_in} --password-stdin"


def make_pull_token(registry: str, token_name: str, repository: str) -> str:
    """A registry's own token that pulls from one repository. Its password, shown once, goes into TOKEN_PASSWORD."""
    words = ("az", "acr", "token", "create", "--registry", registry, "--name", token_name, "--repository", repository)
    asked = ("content/read", "metadata/read", "--query", "credentials.passwords[0].value", "--output", "tsv")
    return f"TOKEN_PASSWORD=$({shell_line(*words, *asked)})"


def make_pull_secret(login_server: str, token_name: str) -> str:
    """A secret for pods to pull with, of the password in TOKEN_PASSWORD."""
    words = ("kubectl", "create", "secret", "docker-registry", token_name)
    user = (f"--docker-server={login_server}", f"--docker-username={token_name}")
    return f'{shell_line(*words, *user)} --docker-password="$TOKEN_PASSWORD"'


def make_identity(identity: str, subscription_id: str, group: str) -> str:
    """A managed identity for a pipeline to sign in as. The answer has its client id and its object id (principalId)."""
    words = ("az", "identity", "create", "--name", identity, "--resource-group", group)
    return shell_line(*words, "--subscription", subscription_id)


def trust_github(identity: str, subscription_id: str, group: str, subject: str) -> str:
    """Lets a workflow on GitHub sign in as the identity without a secret. `subject`: the repository and branch."""
    words = ["az", "identity", "federated-credential", "create", "--name", "github", "--identity-name", identity]
    words += ["--resource-group", group, "--subscription", subscription_id]
    words += ["--issuer", "https://token.actions.githubusercontent.com", "--subject", subject]
    return shell_line(*words, "--audiences", "api://AzureADTokenExchange")


def show_admin_credential(registry: str) -> str:
    """The admin account's name and its two passwords."""
    return shell_line("az", "acr", "credential", "show", "--name", registry)


def skopeo_sign_in(registry: str, login_server: str) -> str:
    """As `sign_in_with_token`, for skopeo, which needs no docker."""
    return _with_token(registry, "skopeo", login_server)


def sign_in_as_token(token: str, login_server: str) -> str:
    """The password is taken from TOKEN_PASSWORD, and goes in by standard input: no history keeps it."""
    line = shell_line("docker", "login", login_server, "--username", token, "--password-stdin")
    return f'printf %s "$TOKEN_PASSWORD" | {line}'
