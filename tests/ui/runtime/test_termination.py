"""What is to be done at the end is done when SIGTERM comes, while the server still waits for its connections."""

import signal
import subprocess
import sys
import textwrap
import threading

from ui.runtime.termination import at_termination


def test_it_is_done_once_at_the_end_where_no_signal_came() -> None:
    calls: list[str] = []
    with at_termination(lambda: calls.append("done")):
        assert calls == []
    assert calls == ["done"]


def test_it_is_done_when_the_signal_comes_and_then_what_was_to_be_done_before() -> None:
    done, before = threading.Event(), threading.Event()
    previous = signal.signal(signal.SIGTERM, lambda *_: before.set())
    try:
        handler = signal.getsignal(signal.SIGTERM)
        with at_termination(done.set):
            signal.raise_signal(signal.SIGTERM)
            assert before.is_set()
            assert done.wait(10)
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, previous)


def test_in_another_thread_it_is_done_at_the_end() -> None:
    calls: list[str] = []

    def run() -> None:
        with at_termination(lambda: calls.append("done")):
            pass

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert calls == ["done"]


def test_a_process_that_handled_no_signal_still_ends_by_it() -> None:
    script = """
        import signal, time
        from ui.runtime.termination import at_termination
        with at_termination(lambda: None):
            signal.raise_signal(signal.SIGTERM)
            time.sleep(60)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=50).returncode == -signal.SIGTERM
