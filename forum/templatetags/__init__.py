"""Tags that templates of several rooms use."""
