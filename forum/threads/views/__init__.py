"""Pages of the threads room, by the thing they show."""
