from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from settlements.actions.region_export import Differs, export_region
from settlements.actions.regions import BadRegionFile, region_files


class Command(BaseCommand):
    help = "Write the versions that were published in the administration into the file of their region."

    def add_arguments(self, parser):
        parser.add_argument("region", help="six digits, as in 310000")
        parser.add_argument("--file", type=Path, help="the region's file; default: regions/<region>.toml")
        parser.add_argument("--to", type=Path, help="where to write; default: the same file")

    def handle(self, *, region, file, to, **options):
        default = next((path for path in region_files() if path.stem == region), None)
        source = file or default
        if source is None:
            raise CommandError(f"There is no regions/{region}.toml; name the file with --file.")
        try:
            before = source.read_text(encoding="utf-8-sig")
            after = export_region(region_id=region, text=before, path=str(source))
            if after != before or to:
                # newline: the text is written as it is, on every system
                (to or source).write_text(after, encoding="utf-8", newline="\n")
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        except (BadRegionFile, Differs) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{to or source}: {'nothing was missing' if after == before else 'written'}.")
