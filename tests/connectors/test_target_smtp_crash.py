"""A process that dies at any moment loses no letter and sends none twice; what may have arrived is held back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.connectors.smtp_letters import change, settings
from tests.servers.smtp import mails

from snello.kit.channel.rehearsal import Rehearsal
from target_smtp import TargetSmtp

PEOPLE = 30
CONNECTIONS = 3
KEYS = [f"c{number:03}" for number in range(PEOPLE)]


def staged(folder: Path) -> Rehearsal:
    stage = Rehearsal(folder, "smtp__win_back", purpose="email_marketing", channel="email", mode="insert")
    stage.publish([dict(change(number).payload) for number in range(PEOPLE)])
    return stage


@pytest.mark.parametrize("moment", [1, 2, 7, 19, PEOPLE])
def test_killed_when_so_many_letters_were_taken(tmp_path: Path, moment: int) -> None:
    stage = staged(tmp_path)
    with mails() as server:
        config = settings(tmp_path, server.port, connections=CONNECTIONS, ledger=stage.ledger_url)
        (tmp_path / "config.json").write_text(json.dumps(config))
        command = [sys.executable, "-c", "from target_smtp import main; main()", "--config", f"{tmp_path}/config.json"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        server.on_text = lambda count: os.kill(process.pid, signal.SIGKILL) if count == moment else None
        process.communicate(stage.messages())
        assert process.returncode == -signal.SIGKILL
        server.on_text = lambda _count: None

        stage.run(TargetSmtp, config)
        ledger = stage.ledger()
        rows = ledger.lookup(stage.sync, KEYS)
        ledger.close()
        letters = Counter(mail.recipient for mail in server.letters)
    assert set(letters.values()) == {1}
    doubted = {key for key, row in rows.items() if (row["status"], row["code"]) == ("retrying", "in_doubt")}
    assert {key for key, row in rows.items() if row["status"] == "delivered"} == set(KEYS) - doubted
    assert len(doubted) <= CONNECTIONS
    assert {f"person{int(key[1:])}@example.it" for key in set(KEYS) - doubted} <= set(letters)


def test_a_run_that_is_asked_to_stop_ends_after_the_letters_under_way(tmp_path: Path) -> None:
    stage = staged(tmp_path)
    with mails() as server:
        config = settings(tmp_path, server.port, connections=CONNECTIONS, ledger=stage.ledger_url)
        (tmp_path / "config.json").write_text(json.dumps(config))
        command = [sys.executable, "-c", "from target_smtp import main; main()", "--config", f"{tmp_path}/config.json"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        server.on_text = lambda count: os.kill(process.pid, signal.SIGTERM) if count == 7 else None
        process.communicate(stage.messages())
        assert process.returncode == 130
        assert 7 <= len(server.letters) < PEOPLE
        stage.run(TargetSmtp, config)
        ledger = stage.ledger()
        statuses = Counter(row["status"] for row in ledger.lookup(stage.sync, KEYS).values())
        ledger.close()
    assert statuses == {"delivered": PEOPLE}
    assert Counter(Counter(mail.recipient for mail in server.letters).values()) == {1: PEOPLE}
