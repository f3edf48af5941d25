"""`az acr task`: tasks of a registry, their runs and logs."""

from services.commands.shell import shell_line

_NO_CONTEXT = ("--context", "/dev/null", "--base-image-trigger-enabled", "false")


def create_task(
    registry: str, task: str, purge_command: str, schedule: str, seconds: int = 3600, *, own_identity: bool = False
) -> str:
    """Creates a task that runs one command by a timer; `schedule` is a cron expression in UTC."""
    words = ("az", "acr", "task", "create", "--name", task, "--registry", registry, "--cmd", purge_command)
    return shell_line(*words, *_timer(schedule, seconds, own_identity=own_identity))


def create_task_of_steps(
    registry: str, task: str, definition: str, schedule: str, seconds: int = 3600, *, own_identity: bool = False
) -> str:
    """As `create_task`, with the steps of a definition in YAML."""
    words = ("az", "acr", "task", "create", "--name", task, "--registry", registry, "--file", "-")
    line = shell_line(*words, *_timer(schedule, seconds, own_identity=own_identity))
    return f"{shell_line('printf', '%s', definition)} | {line}"


def _timer(schedule: str, seconds: int, *, own_identity: bool) -> tuple[str, ...]:
    identity = ("--source-acr-auth-id", "[system]") if own_identity else ()
    return ("--schedule", schedule, "--timeout", str(seconds), *_NO_CONTEXT, *identity)


def list_tasks(registry: str) -> str:
    """The tasks of a registry."""
    return shell_line("az", "acr", "task", "list", "--registry", registry, "--output", "table")


def set_task_status(registry: str, task: str, task_status: str) -> str:
    """Enables or disables a task with its triggers: Enabled or Disabled."""
    return shell_line("az", "acr", "task", "update", "--name", task, "--registry", registry, "--status", task_status)


def run_task(registry: str, task: str) -> str:
    """Runs a task now, and shows its log."""
    return shell_line("az", "acr", "task", "run", "--name", task, "--registry", registry)


def delete_task(registry: str, task: str) -> str:
    """Deletes a task; az asks before it does. Its runs stay listed."""
    return shell_line("az", "acr", "task", "delete", "--name", task, "--registry", registry)


def list_runs(registry: str) -> str:
    """The latest runs of a registry."""
    return shell_line("az", "acr", "task", "list-runs", "--registry", registry, "--output", "table")


def show_log(registry: str, run: str) -> str:
    """The log of a run."""
    return shell_line("az", "acr", "task", "logs", "--registry", registry, "--run-id", run)
