"""How fast, how large and how hungry a deployment is."""
