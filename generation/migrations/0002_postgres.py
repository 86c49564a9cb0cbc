"""What Django's models cannot say: previews are unlogged and leave room for updates in place."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE generation_preview SET UNLOGGED;"
            " ALTER TABLE generation_preview SET (fillfactor = 50)",
            "ALTER TABLE generation_preview SET LOGGED;"
            " ALTER TABLE generation_preview RESET (fillfactor)",
        )
    ]
