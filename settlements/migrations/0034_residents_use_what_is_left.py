from importlib import import_module

from django.db import migrations

# Whoever is insured as a resident today keeps the account of his years as an employee, and it pays his own bills as far as
# the payers of his scheme name it (domain.md 5, number 22). The function let it lie.
LOOK_BEFORE = import_module("settlements.migrations.0032_sharing_rules_of_the_day_of_care").LOOK
LOOK = LOOK_BEFORE.replace(
    "IF in_own AND patient.insurance = 'employee' AND patient.account_id IS NOT NULL THEN",
    "IF in_own AND patient.account_id IS NOT NULL THEN",
)


class Migration(migrations.Migration):
    dependencies = [("settlements", "0033_contribution_files_sealed")]
    operations = [migrations.RunSQL(LOOK, LOOK_BEFORE)]
