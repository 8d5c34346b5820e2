from django.db import migrations

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# A transaction claims its key before the answer is known; the answer is then written once and stays.
ANSWER_ONCE = """
CREATE FUNCTION ledger_answer_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.answer IS NOT NULL
       OR (OLD.id, OLD.kind, OLD.business_date, OLD.recorded_at, OLD.region_id, OLD.scope, OLD.key, OLD.request_hash)
          IS DISTINCT FROM
          (NEW.id, NEW.kind, NEW.business_date, NEW.recorded_at, NEW.region_id, NEW.scope, NEW.key, NEW.request_hash)
    THEN
        RAISE EXCEPTION 'ledger transaction % is answered', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER answer_once BEFORE UPDATE ON settlements_ledgertransaction
FOR EACH ROW EXECUTE FUNCTION ledger_answer_once();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON settlements_ledgertransaction
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# A settlement is a fact; all that may still happen to it is to be reversed, once.
REVERSED_ONCE = """
CREATE FUNCTION settlement_reversed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.reversed_on IS NOT NULL OR NEW.reversed_on IS NULL
       OR to_jsonb(OLD) - 'reversed_on' IS DISTINCT FROM to_jsonb(NEW) - 'reversed_on'
    THEN
        RAISE EXCEPTION 'settlement % is a fact', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reversed_once BEFORE UPDATE ON settlements_settlement
FOR EACH ROW EXECUTE FUNCTION settlement_reversed_once();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON settlements_settlement
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("settlements", "0001_initial"), ("accounts", "0002_audit_append_only")]
    operations = [
        *[
            migrations.RunSQL(APPEND_ONLY.format(table=table), f"DROP TRIGGER append_only ON {table};")
            for table in ["settlements_entry", "settlements_settlementpayer"]
        ],
        migrations.RunSQL(
            ANSWER_ONCE,
            "DROP TRIGGER answer_once ON settlements_ledgertransaction;"
            "DROP TRIGGER append_only ON settlements_ledgertransaction;"
            "DROP FUNCTION ledger_answer_once();",
        ),
        migrations.RunSQL(
            REVERSED_ONCE,
            "DROP TRIGGER reversed_once ON settlements_settlement;"
            "DROP TRIGGER append_only ON settlements_settlement;"
            "DROP FUNCTION settlement_reversed_once();",
        ),
    ]
