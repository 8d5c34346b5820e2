from django.db import migrations

# All that a quote is decided on, by one call: it took four. As `care_begin` reads it for a bill, but nothing is claimed,
# locked or written. Accounts and wallet are told as `ledger.balances` (HELD) and `ledger.wallets` (BALANCE) have them: with
# what is back by the moment, and whether an account is behind its year. See queries/care.py for the order of the values.
QUOTE = """
CREATE FUNCTION care_quote(
    in_member bigint, in_kind text, in_on date, in_service_on date, in_own boolean, in_family boolean,
    in_wallet boolean, in_moment timestamptz
) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    patient record;
    counters json;
    held json;
    purse numeric;
BEGIN
    SELECT * INTO patient FROM care_look(in_member, in_kind, in_on, in_service_on, in_own, in_family, in_wallet);
    IF patient.years IS NOT NULL AND array_position(patient.years, NULL) IS NULL THEN
        SELECT json_agg(json_build_array(benefit_year, counter, amount)) INTO counters
        FROM settlements_usage WHERE member_id = in_member AND benefit_year = ANY (patient.years);
        SELECT json_agg(json_build_array(
            a.id, a.benefit_year, a.current, a.historical, a.debt, a.version,
            a.benefit_year < (
                SELECT y.year FROM accounts_benefityear y
                WHERE y.region_id = a.region_id AND y.starts_on <= in_on ORDER BY y.starts_on DESC LIMIT 1
            ),
            (SELECT sum(t.amount) FROM settlements_wallettransfer t
             WHERE t.account_id = a.id AND t.state = 'pending' AND t.expires_at <= in_moment)
        )) INTO held
        FROM settlements_personalaccount a WHERE a.id = ANY (patient.accounts);
        IF patient.wallet IS NOT NULL THEN
            SELECT w.balance + coalesce((
                SELECT sum(t.amount) FROM settlements_wallettransfer t
                WHERE t.wallet_id = w.id AND t.source = 'wallet' AND t.state = 'pending' AND t.expires_at <= in_moment
            ), 0) INTO purse
            FROM settlements_wallet w WHERE w.id = patient.wallet;
        END IF;
    END IF;
    RETURN format(
        '[%s, %s, %s, %s]', coalesce(patient.facts, 'null'), coalesce(counters::text, 'null'),
        coalesce(held::text, 'null'), coalesce(purse::text, 'null')
    );
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0036_moments_of_transfers")]
    operations = [migrations.RunSQL(QUOTE, "DROP FUNCTION care_quote;")]
