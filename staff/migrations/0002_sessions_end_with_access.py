from django.db import migrations

# In the database, because access is changed through many doors: pages, commands, a shell.
FORWARD = """
    CREATE FUNCTION staff_end_sessions_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM staff_staffsession WHERE user_id = NEW.id;
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER staff_sessions_end_with_account
        AFTER UPDATE OF password, is_active, is_staff, is_superuser ON auth_user
        FOR EACH ROW
        WHEN (
            OLD.password IS DISTINCT FROM NEW.password
            OR OLD.is_active IS DISTINCT FROM NEW.is_active
            OR OLD.is_staff IS DISTINCT FROM NEW.is_staff
            OR OLD.is_superuser IS DISTINCT FROM NEW.is_superuser
        )
        EXECUTE FUNCTION staff_end_sessions_of_account();

    CREATE FUNCTION staff_end_sessions_of_member() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM staff_staffsession WHERE user_id = OLD.user_id;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            DELETE FROM staff_staffsession WHERE user_id = NEW.user_id;
        END IF;
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER staff_sessions_end_with_roles
        AFTER INSERT OR UPDATE OR DELETE ON auth_user_groups
        FOR EACH ROW EXECUTE FUNCTION staff_end_sessions_of_member();
    CREATE TRIGGER staff_sessions_end_with_permissions
        AFTER INSERT OR UPDATE OR DELETE ON auth_user_user_permissions
        FOR EACH ROW EXECUTE FUNCTION staff_end_sessions_of_member();

    CREATE FUNCTION staff_end_sessions_of_role() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        changed integer := CASE WHEN TG_OP = 'DELETE' THEN OLD.group_id ELSE NEW.group_id END;
    BEGIN
        DELETE FROM staff_staffsession
        WHERE user_id IN (SELECT user_id FROM auth_user_groups WHERE group_id = changed);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER staff_sessions_end_with_role
        AFTER INSERT OR UPDATE OR DELETE ON auth_group_permissions
        FOR EACH ROW EXECUTE FUNCTION staff_end_sessions_of_role();
"""
BACKWARD = """
    DROP TRIGGER staff_sessions_end_with_role ON auth_group_permissions;
    DROP FUNCTION staff_end_sessions_of_role();
    DROP TRIGGER staff_sessions_end_with_permissions ON auth_user_user_permissions;
    DROP TRIGGER staff_sessions_end_with_roles ON auth_user_groups;
    DROP FUNCTION staff_end_sessions_of_member();
    DROP TRIGGER staff_sessions_end_with_account ON auth_user;
    DROP FUNCTION staff_end_sessions_of_account();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('staff', '0001_sessions'),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
