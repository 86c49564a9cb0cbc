from django.apps import AppConfig


class ForumConfig(AppConfig):
    name = "forum"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from forum import checks  # noqa: F401  registers the system checks
        from forum.drafts import actions as drafts  # noqa: F401  registers what images and members take along
        from forum.links import (
            forgetting,  # noqa: F401  registers what withdrawn images take along
            moving,  # noqa: F401  and moved threads
        )
        from forum.looks import actions as looks  # noqa: F401  registers what images take along
        from forum.masks import actions as masks  # noqa: F401  the same, and leaving members
        from forum.measures import actions as measures  # noqa: F401  what images take along
        from forum.threads import actions  # noqa: F401  registers what leaving members take along
