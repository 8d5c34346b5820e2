from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db.models import ProtectedError

from settlements.actions import regions


class Command(BaseCommand):
    help = "Load the rules of the regions from regions/*.toml (or the files given): all or nothing, repeatable."

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="*", type=Path, help="files, or folders of *.toml; default: regions/")

    def handle(self, *, paths, **options):
        files = [file for path in paths for file in (regions.region_files(path) if path.is_dir() else [path])]
        files = files or regions.region_files()
        try:
            changes = regions.load(files)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        except ProtectedError as error:
            raise CommandError(
                f"A version that bills were settled by was removed from its file: {error.args[0]}"
            ) from None
        except (regions.BadRegionFile, regions.PublishedHere, regions.SchemeInUse, regions.YearInUse) as error:
            raise CommandError(str(error)) from None
        for line in changes:
            self.stdout.write(line)
        self.stdout.write(
            f"{len(files)} files read, {'nothing changed' if not changes else f'{len(changes)} changes'}."
        )
