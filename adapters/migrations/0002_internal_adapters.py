"""Every operator has an internal adapter: those that are there, and those that will be."""

from django.db import migrations

# A trigger, because operators stand below adapters and cannot call them (ADR 0006).
_FUNCTION = """
    CREATE FUNCTION adapters_add_internal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO adapters_adapterconfig (
            operator_id, slug, kind, base_url, is_default, sealed_secret,
            previous_sealed_secret, created_at, updated_at
        ) VALUES (
            NEW.id, NEW.slug || '-internal', 'internal', '', true, '', '',
            NEW.created_at, NEW.created_at
        );
        RETURN NEW;
    END;
    $$;
"""

_TRIGGER = """
    CREATE TRIGGER operator_is_born_with_an_adapter
    AFTER INSERT ON operators_operator
    FOR EACH ROW EXECUTE FUNCTION adapters_add_internal();
"""

_BACKFILL = """
    INSERT INTO adapters_adapterconfig (
        operator_id, slug, kind, base_url, is_default, sealed_secret,
        previous_sealed_secret, created_at, updated_at
    )
    SELECT id, slug || '-internal', 'internal', '', true, '', '', created_at, created_at
    FROM operators_operator ORDER BY id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("adapters", "0001_initial"),
        ("operators", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            sql=_FUNCTION + _TRIGGER,
            reverse_sql="""
                DROP TRIGGER operator_is_born_with_an_adapter ON operators_operator;
                DROP FUNCTION adapters_add_internal();
            """,
        ),
        migrations.RunSQL(sql=_BACKFILL, reverse_sql="DELETE FROM adapters_adapterconfig;"),
    ]
