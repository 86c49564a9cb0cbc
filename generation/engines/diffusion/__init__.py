"""What the engine `diffusers` is made of. `settings` and `tokens` are light; the rest imports torch."""
