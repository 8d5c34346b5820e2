import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Func, Q, Value

import accounts.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_message_index"),
        ("gateway", "0004_life_of_a_visit"),
    ]
    operations = [
        migrations.CreateModel(
            name="Stay",
            fields=[
                (
                    "visit",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="stay",
                        serialize=False,
                        to="gateway.visit",
                        verbose_name="visit",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stays",
                        to="accounts.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("admitted", "In hospital"),
                            ("discharged", "Discharged, not settled yet"),
                            ("settled", "Settled"),
                            ("cancelled", "Cancelled by the institution"),
                        ],
                        default="admitted",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("admitted_at", models.DateTimeField(verbose_name="admitted at")),
                ("discharged_at", models.DateTimeField(null=True, verbose_name="discharged at")),
                ("admission", accounts.fields.EncryptedTextField(verbose_name="admission")),
                ("discharge", accounts.fields.EncryptedTextField(null=True, verbose_name="discharge")),
            ],
            options={
                "verbose_name": "stay in hospital",
                "verbose_name_plural": "stays in hospital",
                "ordering": ["-visit"],
            },
        ),
        migrations.AddConstraint(
            model_name="stay",
            constraint=models.CheckConstraint(
                condition=Q(state__in=["admitted", "cancelled"], discharged_at=None, discharge=None)
                | Q(state__in=["discharged", "settled"], discharged_at__isnull=False, discharge__isnull=False),
                name="stay_discharged_when_it_says_so",
            ),
        ),
        migrations.AddConstraint(
            model_name="stay",
            constraint=models.CheckConstraint(
                condition=Q(discharged_at=None) | Q(discharged_at__gte=F("admitted_at")),
                name="stay_ends_after_it_begins",
            ),
        ),
        migrations.AddConstraint(
            model_name="stay",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=~Q(state="cancelled"),
                expressions=[
                    (Func(F("member"), F("member"), Value("[]"), function="int8range"), "&&"),
                    (
                        Func(
                            F("admitted_at"),
                            F("discharged_at"),
                            Value("[)"),
                            function="tstzrange",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="stay_no_overlap",
            ),
        ),
        migrations.AddField(
            model_name="diagnosis",
            name="at_discharge",
            field=models.BooleanField(default=False, verbose_name="at discharge"),
        ),
        migrations.AddField(
            model_name="diagnosis",
            name="is_main",
            field=models.BooleanField(default=False, verbose_name="main diagnosis"),
        ),
        migrations.AddField(
            model_name="diagnosis",
            name="on_admission",
            field=models.CharField(default="", max_length=500, verbose_name="condition on admission"),
        ),
        migrations.RemoveConstraint(model_name="diagnosis", name="diagnosis_once"),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.UniqueConstraint(fields=("visit", "at_discharge", "kind", "code"), name="diagnosis_once"),
        ),
        migrations.AddField(
            model_name="feeline",
            name="takes_back",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to="gateway.feeline",
                verbose_name="line taken back",
            ),
        ),
        migrations.RemoveConstraint(model_name="feeline", name="fee_line_never_negative"),
        migrations.AddConstraint(
            model_name="feeline",
            constraint=models.CheckConstraint(
                condition=Q(in_scope__gte=0, pre_self_pay__gte=0, over_limit__gte=0, off_catalogue__gte=0)
                | Q(takes_back__isnull=False, quantity__lt=0, amount__lte=0),
                name="fee_line_never_negative",
            ),
        ),
    ]
