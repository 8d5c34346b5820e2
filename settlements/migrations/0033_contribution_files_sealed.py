from django.db import migrations

from settlements.queries import uploads


def seal_waiting(apps, schema_editor):
    """Files that wait to be read lay open; new ones are encrypted when they come in."""
    files = apps.get_model("settlements", "ContributionFile").objects.exclude(content=None)
    for file in files.iterator(chunk_size=1):
        file.content = uploads.sealed(bytes(file.content))
        file.save(update_fields=["content"])


class Migration(migrations.Migration):
    dependencies = [("settlements", "0032_sharing_rules_of_the_day_of_care")]

    operations = [migrations.RunPython(seal_waiting)]
