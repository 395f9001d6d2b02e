# What has been delivered or given up may be deleted in time; what is on its way may not.

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('adapters', '0004_inbox'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='deliveryattempt',
            name='delivery_attempt_is_append_only',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='webhookdelivery',
            name='webhook_delivery_is_never_deleted',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deliveryattempt',
            trigger=pgtrigger.compiler.Trigger(name='delivery_attempt_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2146210a23be5838ec8efe3efc23ab8096ea3785', operation='UPDATE', pgid='pgtrigger_delivery_attempt_never_changes_ef754', table='adapters_deliveryattempt', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deliveryattempt',
            trigger=pgtrigger.compiler.Trigger(name='delivery_attempt_goes_with_its_delivery', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF EXISTS (SELECT FROM adapters_webhookdelivery WHERE id = OLD.delivery_id) THEN RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME; END IF; RETURN OLD;", hash='a47d3793bfdaa87d81ffb9a13b057871082d1f31', operation='DELETE', pgid='pgtrigger_delivery_attempt_goes_with_its_delivery_304a1', table='adapters_deliveryattempt', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='webhookdelivery',
            trigger=pgtrigger.compiler.Trigger(name='webhook_delivery_is_settled_or_kept', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" = \'pending\')', func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='21a01cb5f17fa7b268d9f1db762beedbad3b182c', operation='DELETE', pgid='pgtrigger_webhook_delivery_is_settled_or_kept_a7a73', table='adapters_webhookdelivery', when='BEFORE')),
        ),
    ]
