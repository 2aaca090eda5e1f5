"""Random instances of a known shape, written through the public schema: nothing in the optimizer knows of them."""
