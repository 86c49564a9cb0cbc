"""What Django cannot say: triggers that keep copies in step inside the same transaction."""

from django.db import migrations

# Vector searches filter on copies in the embedding's own row. Whoever hides or moves an image need
# not know of them.
FOLLOW_IMAGE = """
CREATE FUNCTION forum_embedding_follows_image() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE forum_embeddingwf1 SET
        thread_id = NEW.thread_id, board_id = NEW.board_id, hidden = NEW.state <> 'ready'
    WHERE image_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER forum_embedding_follows_image
AFTER UPDATE OF state, thread_id, board_id ON forum_image FOR EACH ROW
WHEN ((OLD.state, OLD.thread_id, OLD.board_id)
    IS DISTINCT FROM (NEW.state, NEW.thread_id, NEW.board_id))
EXECUTE FUNCTION forum_embedding_follows_image();
"""

# A board that changes its audience takes its images out of what is linked with other audiences.
# Rejected links stay, so that they are never made again.
PART_AUDIENCES = """
CREATE FUNCTION forum_links_part_with_audience() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM forum_similaritylink link USING forum_image a, forum_image b, forum_board p, forum_board q
    WHERE a.id = link.lower_id AND b.id = link.higher_id AND p.id = a.board_id AND q.id = b.board_id
        AND NEW.id IN (p.id, q.id) AND p.id <> q.id AND link.state <> 'rejected'
        AND (p.visibility <> q.visibility OR p.visibility = 'private');
    DELETE FROM forum_duplicate pair USING forum_image a, forum_image b, forum_board p, forum_board q
    WHERE a.id = pair.lower_id AND b.id = pair.higher_id AND p.id = a.board_id AND q.id = b.board_id
        AND NEW.id IN (p.id, q.id) AND p.id <> q.id
        AND (p.visibility <> q.visibility OR p.visibility = 'private');
    RETURN NULL;
END $$;

CREATE TRIGGER forum_links_part_with_audience
AFTER UPDATE OF visibility ON forum_board FOR EACH ROW
WHEN (OLD.visibility IS DISTINCT FROM NEW.visibility)
EXECUTE FUNCTION forum_links_part_with_audience();
"""


def undo(name: str, table: str) -> str:
    return f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();"


class Migration(migrations.Migration):
    dependencies = [("forum", "0001_initial")]

    operations = [
        migrations.RunSQL(FOLLOW_IMAGE, undo("forum_embedding_follows_image", "forum_image")),
        migrations.RunSQL(PART_AUDIENCES, undo("forum_links_part_with_audience", "forum_board")),
    ]
