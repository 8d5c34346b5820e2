import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from settlements.cases.playing import BrokenStep, differences, play
from settlements.cases.reading import BadCase, ScenarioCase, read_cases


class Command(BaseCommand):
    help = "Play scenario cases through the real code and database, and roll each back. Exit 1 if any failed."

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="+", type=Path, help="files or folders of *.json")
        parser.add_argument("--json", action="store_true", help="print what each step gave, one JSON object a case")

    def handle(self, *, paths, **options):
        self._make_tables()
        passed = failed = 0
        for found in _cases(paths):
            problems = self._play(found, options["json"])
            passed, failed = (passed + 1, failed) if not problems else (passed, failed + 1)
        if not options["json"]:
            self.stdout.write(f"{passed} passed, {failed} failed")
        if failed:
            raise SystemExit(1)

    def _make_tables(self) -> None:
        """A fresh clone has no tables yet: the demo's own database gets them, another one is its keeper's affair."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            if not settings.DEMO:
                raise CommandError("The database is behind the code: run manage.py migrate first.")
            call_command("migrate", verbosity=0, stdout=self.stderr)

    def _play(self, found: ScenarioCase | tuple[str, str], as_json: bool) -> list[str]:
        if isinstance(found, tuple):
            return self._report(*found[:1], [found[1]], as_json, {"malformed": found[1]})
        try:
            given, balances = play(found)
        except BadCase as bad:
            problem = f"{found.file} {bad}"
            return self._report(found.id, [problem], as_json, {"malformed": problem})
        except BrokenStep as broken:
            problem = f"{found.file} {broken}"
            return self._report(found.id, [problem], as_json, {"error": problem})
        except Exception as error:  # noqa: BLE001 - a case that breaks must not hide the others; it is a failure by its name
            problem = f"{found.file} {type(error).__name__}: {error}"
            return self._report(found.id, [problem], as_json, {"error": problem})
        problems = differences(found, given, balances)
        return self._report(found.id, problems, as_json, {"steps": given, "balances": balances})

    def _report(self, case_id: str, problems: list[str], as_json: bool, given: dict[str, object]) -> list[str]:
        if as_json:
            self.stdout.write(json.dumps({"id": case_id, **given}, ensure_ascii=False))
            # Another program compares; only what could not be played is a failure here.
            return problems if "steps" not in given else []
        for problem in problems:
            self.stdout.write(f"FAIL {case_id} {problem}")
        if not problems:
            self.stdout.write(f"ok {case_id}")
        return problems


def _cases(paths: Iterable[Path]) -> Iterator[ScenarioCase | tuple[str, str]]:
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise CommandError(f"no *.json in {path}")
        for file in files:
            try:
                yield from read_cases(file)
            except BadCase as bad:
                yield file.name, str(bad)
