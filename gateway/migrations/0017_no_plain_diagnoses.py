from importlib import import_module

from django.db import migrations, models

import accounts.fields

encrypt_diagnoses = import_module("gateway.migrations.0016_encrypt_diagnoses").encrypt_diagnoses


class Migration(migrations.Migration):
    """Not to be taken back: the plain texts are gone."""

    dependencies = [("gateway", "0016_encrypt_diagnoses")]
    operations = [
        # What came while the chunks were written, and from now on nothing comes any more: between the last look and the
        # end of the plain columns it would be lost.
        migrations.RunSQL("LOCK TABLE gateway_visit, gateway_diagnosis;", migrations.RunSQL.noop),
        migrations.RunPython(encrypt_diagnoses),
        migrations.AlterField(
            model_name="diagnosis",
            name="said",
            field=accounts.fields.EncryptedTextField(editable=False, verbose_name="diagnosis"),
        ),
        migrations.AlterField(
            model_name="diagnosis", name="code_index", field=models.CharField(editable=False, max_length=64)
        ),
        migrations.RemoveConstraint(model_name="diagnosis", name="diagnosis_once"),
        migrations.AddConstraint(
            model_name="diagnosis",
            constraint=models.UniqueConstraint(
                fields=("visit", "at_discharge", "kind", "code_index"), name="diagnosis_once"
            ),
        ),
        *(
            migrations.RemoveField(model_name="diagnosis", name=name)
            for name in ("code", "name", "on_admission", "department", "doctor_code", "doctor_name")
        ),
        *(
            migrations.RemoveField(model_name="visit", name=name)
            for name in ("condition", "disease_code", "disease_name")
        ),
    ]
