from importlib import import_module

from django.db import migrations

# Order and threshold of sharing are those of the day of care, as the scheme is (decision 0040): an old bill that is settled
# late took what the rules of its day kept with the grantor. Who shares, and what accounts hold, stays of the settlement's day.
LOOK_OF_SETTLEMENT = import_module("settlements.migrations.0027_wallet_pays_bills").LOOK.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
LOOK = LOOK_OF_SETTLEMENT.replace(
    "AND h.valid_from <= in_on AND (h.valid_to IS NULL OR h.valid_to > in_on)",
    "AND h.valid_from <= in_service_on AND (h.valid_to IS NULL OR h.valid_to > in_service_on)",
)


class Migration(migrations.Migration):
    dependencies = [("settlements", "0031_premiums_out_of_wallets")]
    operations = [migrations.RunSQL(LOOK, LOOK_OF_SETTLEMENT)]
