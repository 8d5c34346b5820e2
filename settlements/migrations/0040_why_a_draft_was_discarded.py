import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("settlements", "0039_chunk_in_one"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="ruledraft",
            name="discarded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="discarded by",
            ),
        ),
        migrations.AddField(
            model_name="ruledraft",
            name="discarded_at",
            field=models.DateTimeField(null=True, verbose_name="discarded at"),
        ),
        migrations.AddField(
            model_name="ruledraft",
            name="discard_reason",
            field=models.CharField(blank=True, max_length=200, verbose_name="why it was discarded", default=""),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="ruledraft",
            constraint=models.CheckConstraint(
                name="draft_discarded_with_reason",
                condition=Q(discarded_by=None, discard_reason="")
                | Q(state="discarded")
                & (Q(discarded_by=F("made_by")) | (Q(discarded_by__isnull=False) & ~Q(discard_reason=""))),
            ),
        ),
    ]
