"""The studio: everything a machine makes. It never imports the forum."""
