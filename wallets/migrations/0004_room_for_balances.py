"""Leave room in the pages of accounts, so that a new balance is written beside the old."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallets", "0003_transfer_sides")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE wallets_account SET (fillfactor = 70)",
            "ALTER TABLE wallets_account RESET (fillfactor)",
        )
    ]
